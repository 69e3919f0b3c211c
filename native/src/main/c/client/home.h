/* Where this program is installed. */
#ifndef OVL_CLIENT_HOME_H
#define OVL_CLIENT_HOME_H

#include <limits.h>
#include <stdbool.h>

/*
 * The directory of the installation, absolute, without links; empty if it is "/". False if the
 * program lies in none, or in one that Java cannot run from: then it has said so.
 */
bool find_home(char home[PATH_MAX]);

#endif
