/*
 * For the build: seals the archive of classes that it has made from the jars of a
 * directory. Nothing of this is installed.
 */
#include "../client/archive.h"
#include "../client/complain.h"

#include <stdlib.h>

int main(int count, char **words)
{
	int error;

	if (count != 3) {
		complain("needs two words", "ARCHIVE DIRECTORY", 0);
		return EXIT_FAILURE;
	}
	error = archive_seal(words[1], words[2]);
	if (!error)
		return EXIT_SUCCESS;
	complain("cannot seal", words[1], error);
	return EXIT_FAILURE;
}
