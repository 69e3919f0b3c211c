/* What dev.ovl.jni.MountNamespaces declares native: elsewhere.h for Java. */
#include "../run/elsewhere.h"

#include <errno.h>
#include <jni.h>
#include <stdlib.h>

/* The error as it is, and whose it is. */
static jint told(JNIEnv *env, jobjectArray calls, int error, const char *call)
{
	jstring name = error ? (*env)->NewStringUTF(env, call) : NULL;

	/* what is pending when memory was short is thrown when this returns to Java */
	if (name)
		(*env)->SetObjectArrayElement(env, calls, 0, name);
	return error;
}

JNIEXPORT jint JNICALL Java_dev_ovl_jni_MountNamespaces_attach(JNIEnv *env, jclass type, jint space,
							       jint tree, jint target,
							       jobjectArray calls);

JNIEXPORT jint JNICALL Java_dev_ovl_jni_MountNamespaces_attach(JNIEnv *env, jclass type, jint space,
							       jint tree, jint target,
							       jobjectArray calls)
{
	const char *call;
	int error = elsewhere_attach(space, tree, target, &call);

	(void)type;
	return told(env, calls, error, call);
}

JNIEXPORT jint JNICALL Java_dev_ovl_jni_MountNamespaces_unmount(JNIEnv *env, jclass type, jint space,
								jint root, jbyteArray point,
								jint flags, jobjectArray calls);

/* The point ends with a byte of 0. */
JNIEXPORT jint JNICALL Java_dev_ovl_jni_MountNamespaces_unmount(JNIEnv *env, jclass type, jint space,
								jint root, jbyteArray point,
								jint flags, jobjectArray calls)
{
	jbyte *text = (*env)->GetByteArrayElements(env, point, NULL);
	const char *call = "umount2";
	int error = -ENOMEM;

	(void)type;
	if (text) {
		error = elsewhere_unmount(space, root, (const char *)text, flags, &call);
		(*env)->ReleaseByteArrayElements(env, point, text, JNI_ABORT);
	}
	return told(env, calls, error, call);
}
