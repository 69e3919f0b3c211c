/* Becoming the Java machine of an installation. */
#ifndef OVL_CLIENT_LAUNCH_H
#define OVL_CLIENT_LAUNCH_H

#include "program.h"

/*
 * Takes this process's place with a program in Java. Its options are lib/ovl.options, for the daemon
 * those of lib/mountd.options too, and the words of OVL_JAVA_OPTIONS.
 *
 * The arguments end with NULL, and come through byte for byte. Returns only if Java cannot be
 * started: then it has said why, and the result is the exit status.
 */
int launch_java(const char *home, enum program program, char *const *arguments);

#endif
