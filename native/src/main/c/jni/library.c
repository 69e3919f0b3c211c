/* What dev.ovl.jni.NativeLibrary declares native. */
#include <jni.h>

#ifndef OVL_VERSION
#error OVL_VERSION must be the version of the build
#endif

JNIEXPORT jstring JNICALL Java_dev_ovl_jni_NativeLibrary_version(JNIEnv *env, jclass type);

/* Of the build that this is of. */
JNIEXPORT jstring JNICALL Java_dev_ovl_jni_NativeLibrary_version(JNIEnv *env, jclass type)
{
	(void)type;
	return (*env)->NewStringUTF(env, OVL_VERSION);
}
