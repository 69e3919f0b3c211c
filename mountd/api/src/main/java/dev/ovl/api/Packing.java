package dev.ovl.api;

import java.util.Optional;

/**
 * What archive is wanted of the differences.
 *
 * @param against a layer to compare a layer with; absent: its parent
 * @param format {@code oci}, {@code aufs} or {@code overlay}: how deletions are told; absent: oci
 * @param compression {@code none}, {@code gzip} or {@code zstd}; absent: none
 */
public record Packing(
    Optional<String> against, Optional<String> format, Optional<String> compression) {}
