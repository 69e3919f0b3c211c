/*
 * The archive of classes that the Java machine maps instead of reading jars, and whether it is one of
 * the jars that are there.
 *
 * The machine itself looks at a jar's size and time at most, and all our jars have the same time. So
 * the archive is sealed when it is made: behind it stands a number from the central directories of all
 * jars beside it, which have the size and the checksum of each class.
 */
#ifndef OVL_CLIENT_ARCHIVE_H
#define OVL_CLIENT_ARCHIVE_H

#include <stdbool.h>

/*
 * Whether the jars of a directory are those that an archive was sealed with. Whatever is odd means
 * that they are not.
 */
bool archive_fits(const char *archive, const char *directory);

/*
 * Seals an archive that was just made from the jars of a directory. Returns 0 or an errno, EBADMSG
 * for a jar that is odd.
 */
int archive_seal(const char *archive, const char *directory);

#endif
