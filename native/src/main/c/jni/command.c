/* What dev.ovl.jni.ForkedCommand declares native: run.h for Java. */
#include "../run/run.h"

#include <jni.h>
#include <stdlib.h>
#include <string.h>

/* What a plan points to, freed together. */
struct copies {
	char **arguments;
	char **environment;
	char *directory;
	char **targets;
	struct run_volume *volumes;
	gid_t *groups;
};

/* Who is told of problems, and how. */
struct listener {
	JNIEnv *env;
	jobject object;
	jmethodID method;
};

static char *copy_text(JNIEnv *env, jbyteArray bytes)
{
	jsize size = (*env)->GetArrayLength(env, bytes);
	char *text = malloc((size_t)size + 1);

	if (!text)
		return NULL;
	(*env)->GetByteArrayRegion(env, bytes, 0, size, (jbyte *)text);
	text[size] = '\0';
	return text;
}

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

/* Ended by NULL. */
static char **copy_texts(JNIEnv *env, jobjectArray array)
{
	jsize count = (*env)->GetArrayLength(env, array);
	char **texts = calloc((size_t)count + 1, sizeof(*texts));

	for (jsize i = 0; texts && i < count; i++) {
		jbyteArray bytes = (*env)->GetObjectArrayElement(env, array, i);

		texts[i] = copy_text(env, bytes);
		(*env)->DeleteLocalRef(env, bytes);
		if (!texts[i]) {
			free_texts(texts);
			return NULL;
		}
	}
	return texts;
}

static struct run_volume *copy_volumes(JNIEnv *env, char *const *targets, jintArray trees,
				       jbooleanArray directories, jbooleanArray read_only)
{
	jsize count = (*env)->GetArrayLength(env, trees);
	struct run_volume *volumes = calloc((size_t)count + 1, sizeof(*volumes));

	for (jsize i = 0; volumes && i < count; i++) {
		jboolean is_directory;
		jboolean is_read_only;
		jint tree;

		(*env)->GetIntArrayRegion(env, trees, i, 1, &tree);
		(*env)->GetBooleanArrayRegion(env, directories, i, 1, &is_directory);
		(*env)->GetBooleanArrayRegion(env, read_only, i, 1, &is_read_only);
		volumes[i] = (struct run_volume){.tree = tree, .target = targets[i],
						 .directory = is_directory,
						 .read_only = is_read_only};
	}
	return volumes;
}

static gid_t *copy_groups(JNIEnv *env, jintArray array)
{
	jsize count = (*env)->GetArrayLength(env, array);
	gid_t *groups = calloc((size_t)count + 1, sizeof(*groups));

	for (jsize i = 0; groups && i < count; i++) {
		jint group;

		(*env)->GetIntArrayRegion(env, array, i, 1, &group);
		groups[i] = (gid_t)group;
	}
	return groups;
}

static void free_copies(struct copies *copies)
{
	free_texts(copies->arguments);
	free_texts(copies->environment);
	free(copies->directory);
	free_texts(copies->targets);
	free(copies->volumes);
	free(copies->groups);
}

static void tell(const struct listener *listener, jboolean is_note, const struct run_problem *said)
{
	JNIEnv *env = listener->env;
	jstring what = (*env)->NewStringUTF(env, said->what);
	jbyteArray about = NULL;

	if (said->about) {
		jsize size = (jsize)strlen(said->about);

		about = (*env)->NewByteArray(env, size);
		if (about)
			(*env)->SetByteArrayRegion(env, about, 0, size,
						   (const jbyte *)said->about);
	}
	/* what is pending when memory was short is thrown when this returns to Java */
	if (!(*env)->ExceptionCheck(env))
		(*env)->CallVoidMethod(env, listener->object, listener->method, is_note, what,
				       about, said->error);
	(*env)->DeleteLocalRef(env, what);
	(*env)->DeleteLocalRef(env, about);
}

static void tell_note(void *context, const struct run_problem *note)
{
	tell(context, JNI_TRUE, note);
}

JNIEXPORT jlong JNICALL Java_dev_ovl_jni_ForkedCommand_start(
	JNIEnv *env, jclass type, jint root, jintArray trees, jobjectArray targets,
	jbooleanArray directories, jbooleanArray read_only, jbyteArray directory,
	jobjectArray arguments, jobjectArray environment, jint uid, jint gid, jintArray groups,
	jboolean own_network, jboolean terminal, jobject problems);

/* The address of the command, or the negated exit status. */
JNIEXPORT jlong JNICALL Java_dev_ovl_jni_ForkedCommand_start(
	JNIEnv *env, jclass type, jint root, jintArray trees, jobjectArray targets,
	jbooleanArray directories, jbooleanArray read_only, jbyteArray directory,
	jobjectArray arguments, jobjectArray environment, jint uid, jint gid, jintArray groups,
	jboolean own_network, jboolean terminal, jobject problems)
{
	struct run_command *command = malloc(sizeof(*command));
	struct run_problem problem = {.what = "there is not enough memory"};
	struct listener listener = {
		.env = env,
		.object = problems,
		.method = (*env)->GetMethodID(env, (*env)->GetObjectClass(env, problems), "add",
					      "(ZLjava/lang/String;[BI)V"),
	};
	struct copies copies = {
		.arguments = copy_texts(env, arguments),
		.environment = copy_texts(env, environment),
		.directory = copy_text(env, directory),
		.targets = copy_texts(env, targets),
		.groups = copy_groups(env, groups),
	};
	int status = RUN_FAILED;

	(void)type;
	if (copies.targets)
		copies.volumes = copy_volumes(env, copies.targets, trees, directories, read_only);
	if (command && copies.arguments && copies.environment && copies.directory && copies.volumes
	    && copies.groups && listener.method) {
		const struct run_plan plan = {
			.root = root,
			.volumes = copies.volumes,
			.volume_count = (size_t)(*env)->GetArrayLength(env, trees),
			.directory = copies.directory,
			.arguments = copies.arguments,
			.environment = copies.environment,
			.uid = (uid_t)uid,
			.gid = (gid_t)gid,
			.groups = copies.groups,
			.group_count = (size_t)(*env)->GetArrayLength(env, groups),
			.own_network = own_network,
			.terminal = terminal,
		};

		status = run_start(&plan, command, &problem, tell_note, &listener);
	}
	if (status && listener.method)
		tell(&listener, JNI_FALSE, &problem);
	free_copies(&copies);
	if (!status)
		return (jlong)command;
	free(command);
	return -status;
}

JNIEXPORT jint JNICALL Java_dev_ovl_jni_ForkedCommand_await(JNIEnv *env, jclass type,
							     jlong address);

JNIEXPORT jint JNICALL Java_dev_ovl_jni_ForkedCommand_await(JNIEnv *env, jclass type,
							     jlong address)
{
	struct run_command *command = (struct run_command *)address;
	int status = run_wait(command);

	(void)env;
	(void)type;
	free(command);
	return status;
}
