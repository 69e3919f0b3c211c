#include "call.h"

#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of an option, in the same word or the next; moves on past it. */
static const char *value(const char *name, char *const **word)
{
	size_t length = strlen(name);

	if (strncmp(**word, name, length))
		return NULL;
	if ((**word)[length] == '=')
		return **word + length + 1;
	if ((**word)[length] || !(*word)[1])
		return NULL;
	return *++*word;
}

/* Whether it is an option that does not matter here; moves on past its value. */
static bool is_other(char *const **word)
{
	static const char *const valued[] = {"--driver", "--color", "--config"};
	static const char *const plain[] = {"--json", "--quiet", "-q", "--trace"};

	for (size_t i = 0; i < sizeof(valued) / sizeof(*valued); i++)
		if (value(valued[i], word))
			return true;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (!strcmp(**word, plain[i]))
			return true;
	return false;
}

void call_read(char *const *words, struct call *call)
{
	bool for_java = false;
	const char *found;

	*call = (struct call){.host = getenv("OVL_HOST"), .run = getenv("OVL_RUN")};
	for (; *words && strcmp(*words, "--"); words++) {
		if ((found = value("--host", &words)))
			call->host = found;
		else if ((found = value("--root", &words)))
			call->root = found;
		else if ((found = value("--run", &words)))
			call->run = found;
		else if (**words == '-')
			/* --help, and such of the verb's own */
			for_java |= !is_other(&words);
		else if (!call->verb)
			call->verb = *words;
		else if (!strcmp(call->verb, "try") || !strcmp(call->verb, "unshare"))
			/* what follows is the command's */
			break;
	}
	if (call->verb && !strcmp(call->verb, "unshare") && !for_java)
		call->command = words + (*words && !strcmp(*words, "--"));
}

bool call_stays_outside(const struct call *call)
{
	static const char *const verbs[] = {"mv", "mount.ovl", "fsck.overlay"};

	for (size_t i = 0; call->verb && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(call->verb, verbs[i]))
			return true;
	return false;
}

bool call_socket(const struct call *call, const char *name, char *path, size_t size)
{
	const char *home = getenv("HOME");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *data = getenv("XDG_DATA_HOME");
	int length;

	if (call->run && *call->run)
		length = snprintf(path, size, "%s/%s", call->run, name);
	else if (!userns_is_ordinary())
		length = snprintf(path, size, "/run/ovl/%s", name);
	else if (runtime && *runtime == '/')
		length = snprintf(path, size, "%s/ovl/%s", runtime, name);
	else if (data && *data == '/')
		length = snprintf(path, size, "%s/ovl/run/%s", data, name);
	else
		length = snprintf(path, size, "%s/.local/share/ovl/run/%s", home ? home : "", name);
	return length >= 0 && (size_t)length < size;
}
