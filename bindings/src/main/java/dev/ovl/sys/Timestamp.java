package dev.ovl.sys;

/**
 * struct timespec: a point in time, or one of utimensat(2)'s special values in {@code nanoseconds}.
 *
 * @param seconds since 1970-01-01T00:00:00Z, may be negative
 * @param nanoseconds 0 to 999 999 999, or {@link Linux#UTIME_NOW}, {@link Linux#UTIME_OMIT}
 */
public record Timestamp(long seconds, long nanoseconds) {}
