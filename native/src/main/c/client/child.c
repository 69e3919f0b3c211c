#include "child.h"

#include "../run/run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what is to run ------------------------------------------------------------------------ */

/* Numbers and texts, one after the other. */
struct reader {
	const char *at;
	const char *end;
	bool failed; /* there was less than was asked for */
};

static uint32_t read_number(struct reader *reader)
{
	uint32_t number = 0;

	if ((size_t)(reader->end - reader->at) < sizeof(number)) {
		reader->failed = true;
		return 0;
	}
	memcpy(&number, reader->at, sizeof(number));
	reader->at += sizeof(number);
	return number;
}

static char *read_text(struct reader *reader)
{
	const char *text = reader->at;

	if (text >= reader->end) {
		reader->failed = true;
		return NULL;
	}
	reader->at += strlen(text) + 1;
	/* execve(2) changes none, though its type does not say so */
	return (char *)(uintptr_t)text;
}

/* Ended by NULL. */
static char **read_texts(struct reader *reader, size_t count)
{
	char **texts = calloc(count + 1, sizeof(*texts));

	for (size_t i = 0; texts && i < count; i++)
		texts[i] = read_text(reader);
	return texts;
}

/* What a plan points to besides the message. */
struct parts {
	gid_t *groups;
	struct run_volume *volumes;
	char **arguments;
	char **environment;
};

static void free_parts(struct parts *parts)
{
	free(parts->groups);
	free(parts->volumes);
	free(parts->arguments);
	free(parts->environment);
}

static bool read_plan(const struct message *message, struct run_plan *plan, struct parts *parts)
{
	struct reader reader = {.at = message->bytes, .end = message->bytes + message->size};
	struct program_head head;

	if (message->size < sizeof(head))
		return false;
	memcpy(&head, message->bytes, sizeof(head));
	reader.at += sizeof(head);
	if (head.group_count > message->size || head.volume_count > message->size
	    || head.argument_count > message->size || head.variable_count > message->size
	    || message->descriptor_count != 1 + (size_t)head.volume_count)
		return false;
	parts->groups = calloc(head.group_count + 1, sizeof(*parts->groups));
	parts->volumes = calloc(head.volume_count + 1, sizeof(*parts->volumes));
	if (!parts->groups || !parts->volumes)
		return false;
	for (uint32_t i = 0; i < head.group_count; i++)
		parts->groups[i] = read_number(&reader);
	for (uint32_t i = 0; i < head.volume_count; i++) {
		uint32_t flags = read_number(&reader);

		parts->volumes[i] = (struct run_volume){
			.tree = message->descriptors[1 + i],
			.directory = flags & VOLUME_DIRECTORY,
			.read_only = flags & VOLUME_READ_ONLY,
		};
	}
	plan->directory = read_text(&reader);
	for (uint32_t i = 0; i < head.volume_count; i++)
		parts->volumes[i].target = read_text(&reader);
	parts->arguments = read_texts(&reader, head.argument_count);
	parts->environment = read_texts(&reader, head.variable_count);
	plan->root = message->descriptors[0];
	plan->volumes = parts->volumes;
	plan->volume_count = head.volume_count;
	plan->arguments = parts->arguments;
	plan->environment = parts->environment;
	plan->uid = head.uid;
	plan->gid = head.gid;
	plan->groups = parts->groups;
	plan->group_count = head.group_count;
	plan->own_network = head.own_network;
	plan->terminal = head.terminal;
	return !reader.failed && parts->arguments && parts->environment;
}

/* ---- how it goes --------------------------------------------------------------------------- */

static void put_problem(struct draft *draft, const struct run_problem *problem)
{
	const struct problem_head head = {.error = (uint32_t)problem->error,
					  .is_about = problem->about != NULL};

	draft_put(draft, &head, sizeof(head));
	draft_put_text(draft, problem->what);
	if (problem->about)
		draft_put_text(draft, problem->about);
}

static void tell_note(void *context, const struct run_problem *note)
{
	const int *channel = context;
	struct draft draft = {.bytes = NULL};

	put_problem(&draft, note);
	channel_send(*channel, MESSAGE_NOTE, &draft, NULL, 0);
	draft_free(&draft);
}

static void tell_failure(int channel, int status, const struct run_problem *problem)
{
	const uint32_t number = (uint32_t)status;
	struct draft draft = {.bytes = NULL};

	draft_put(&draft, &number, sizeof(number));
	put_problem(&draft, problem);
	channel_send(channel, MESSAGE_FAILED, &draft, NULL, 0);
	draft_free(&draft);
}

/* Whoever listens learns by the descriptor when all of it is gone, should this process be killed. */
static void tell_running(int channel, const struct run_command *command)
{
	const struct draft nothing = {.bytes = NULL};
	int process = (int)syscall(SYS_pidfd_open, command->init, 0);

	channel_send(channel, MESSAGE_RUNNING, &nothing, &process, process >= 0);
	if (process >= 0)
		close(process);
}

int child_run(int channel, struct message *message)
{
	struct run_problem problem = {.what = "there is not enough memory"};
	struct run_command command;
	struct run_plan plan = {.root = -1};
	struct parts parts = {.groups = NULL};
	int status = RUN_FAILED;

	if (read_plan(message, &plan, &parts))
		status = run_start(&plan, &command, &problem, tell_note, &channel);
	/* before anything is freed: a problem may be about a part of the plan */
	if (status)
		tell_failure(channel, status, &problem);
	free_parts(&parts);
	message_free(message);
	if (status)
		return status;
	tell_running(channel, &command);
	status = run_wait(&command);
	channel_send_number(channel, MESSAGE_ENDED, (uint32_t)status);
	return status;
}
