#include "launch.h"

#include "archive.h"
#include "complain.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options meant for other programs, which could contradict ours and end the JVM before it starts. */
static const char *const FOREIGN[] = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"};
enum { FOREIGN_COUNT = sizeof(FOREIGN) / sizeof(*FOREIGN) };

enum {
	ROOM = PATH_MAX + 64, /* of a path of the installation, and what stands around it */
	OWN_WORDS = 16, /* at most, of the command line, that are neither arguments nor the user's */
};

/* A file of the installation, after what an option begins with. */
static char *within(char word[ROOM], const char *option, const char *home, const char *file)
{
	snprintf(word, ROOM, "%s%s/%s", option, home, file);
	return word;
}

static size_t count_of(char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

/* Words of a command line to be, which has room for them. */
struct line {
	const char **words;
	size_t count;
};

static void add(struct line *line, const char *word)
{
	line->words[line->count++] = word;
}

/* The words between blanks; the text becomes theirs. */
static void add_split(struct line *line, char *text)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
		add(line, word);
}

/* Returns an errno. */
static int execute(const char *java, const char *home, enum program program,
		   char *const *arguments)
{
	const char *given = getenv("OVL_JAVA_OPTIONS");
	char *users = strdup(given ? given : "");
	/* a word of the user's takes two bytes at least, with the blank after it */
	size_t room = OWN_WORDS + (users ? strlen(users) / 2 + 1 : 0) + count_of(arguments);
	struct line line = {.words = calloc(room, sizeof(char *))};
	const char *verb = program_verb(program);
	const char *classes = program == PROGRAM_MOUNTD ? "lib/mountd.jsa" : "lib/ovlctl.jsa";
	char userns[ROOM];
	char options[ROOM];
	char daemon_options[ROOM];
	char lib[ROOM];
	char archive[ROOM];
	char option[ROOM];
	char jar[ROOM];
	int error = ENOMEM;

	if (users && line.words) {
		/* what an ordinary user needs before there is a Java machine; for root it does nothing */
		if (!access(within(userns, "", home, "lib/ovl-userns"), X_OK))
			add(&line, userns);
		add(&line, java);
		add(&line, within(options, "@", home, "lib/ovl.options"));
		if (program == PROGRAM_MOUNTD)
			add(&line, within(daemon_options, "@", home, "lib/mountd.options"));
		if (archive_fits(within(archive, "", home, classes), within(lib, "", home, "lib")))
			add(&line, within(option, "-XX:SharedArchiveFile=", home, classes));
		add_split(&line, users);
		add(&line, "-cp");
		add(&line, within(jar, "", home, "lib/ovl.jar"));
		add(&line, program == PROGRAM_MOUNTD ? "dev.ovl.server.Main" : "dev.ovl.cli.Main");
		if (verb)
			add(&line, verb);
		for (; *arguments; arguments++)
			add(&line, *arguments);
		/* execv(3) changes no word, though its type does not say so */
		execv(line.words[0], (char *const *)(void *)line.words);
		error = errno;
	}
	free(line.words);
	free(users);
	return error;
}

int launch_java(const char *home, enum program program, char *const *arguments)
{
	char java[ROOM];
	char runtime[ROOM];

	if (access(within(java, "", home, "runtime/bin/java"), X_OK)) {
		complain("this installation lacks its Java runtime",
			 within(runtime, "", home, "runtime"), 0);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < FOREIGN_COUNT; i++)
		unsetenv(FOREIGN[i]);
	complain("cannot start Java", java, execute(java, home, program, arguments));
	return EXIT_FAILURE;
}
