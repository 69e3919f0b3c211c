package dev.ovl.api;

import java.util.Optional;

/**
 * Which layer is meant.
 *
 * @param driver its driver's name; absent: the one that the root was used with
 */
public record LayerName(String id, Optional<String> driver) {}
