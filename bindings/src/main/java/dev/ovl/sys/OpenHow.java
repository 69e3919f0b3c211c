package dev.ovl.sys;

/**
 * struct open_how of openat2(2).
 *
 * @param flags O_ flags
 * @param mode of a file that is created, else 0 (EINVAL otherwise)
 * @param resolve RESOLVE_ flags
 */
public record OpenHow(long flags, long mode, long resolve) {}
