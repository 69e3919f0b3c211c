/*
 * Runs a command in a directory as root directory:
 *
 *   run ROOT [-u UID:GID] [-w DIRECTORY] [-v SOURCE:TARGET[:ro]] [-e NAME=VALUE] [-n] [-t] CMD...
 *
 * What is said of problems goes to standard error, a line each: note or failure, the sentence, what
 * it is about, and the number of the error.
 */
#include "../../main/c/run/run.h"
#include "../../main/c/run/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 64 };

static void print(const char *kind, const struct run_problem *problem)
{
	fprintf(stderr, "%s: %s: %s: %d\n", kind, problem->what,
		problem->about ? problem->about : "", problem->error);
}

static void note(void *context, const struct run_problem *said)
{
	(void)context;
	print("note", said);
}

static int copy(const char *path)
{
	int tree = sys_copy_mount(AT_FDCWD, path);

	if (tree < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-tree));
		exit(2);
	}
	return tree;
}

static struct run_volume volume(char *text)
{
	char *target = strchr(text, ':');
	struct run_volume volume = {.read_only = false};
	struct stat status;
	char *flag;

	*target++ = '\0';
	flag = strchr(target, ':');
	if (flag) {
		*flag = '\0';
		volume.read_only = true;
	}
	if (stat(text, &status)) {
		perror(text);
		exit(2);
	}
	volume.tree = copy(text);
	volume.target = target;
	volume.directory = S_ISDIR(status.st_mode);
	return volume;
}

int main(int count, char **arguments)
{
	static struct run_volume volumes[MOST];
	static char *environment[MOST + 1];
	struct run_plan plan = {.root = copy(arguments[1]), .volumes = volumes, .directory = "/"};
	struct run_command command;
	struct run_problem problem;
	size_t variables = 0;
	int option;
	int status;

	(void)count;
	while ((option = getopt(count - 1, arguments + 1, "+u:w:v:e:nt")) != -1)
		switch (option) {
		case 'u':
			plan.uid = (uid_t)strtoul(optarg, NULL, 10);
			plan.gid = (gid_t)strtoul(strchr(optarg, ':') + 1, NULL, 10);
			break;
		case 'w':
			plan.directory = optarg;
			break;
		case 'v':
			volumes[plan.volume_count++] = volume(optarg);
			break;
		case 'e':
			environment[variables++] = optarg;
			break;
		case 'n':
			plan.own_network = true;
			break;
		case 't':
			plan.terminal = true;
			break;
		default:
			return 2;
		}
	plan.arguments = arguments + 1 + optind;
	plan.environment = environment;
	status = run_start(&plan, &command, &problem, note, NULL);
	if (status) {
		print("failure", &problem);
		return status;
	}
	return run_wait(&command);
}
