/* What dev.ovl.jni.UserNamespaces declares native: users.h for Java. */
#include "../run/users.h"

#include <errno.h>
#include <jni.h>

JNIEXPORT jint JNICALL Java_dev_ovl_jni_UserNamespaces_map(JNIEnv *env, jclass type, jstring users,
							   jstring groups);

/* Digits and blanks are the same in any encoding. */
JNIEXPORT jint JNICALL Java_dev_ovl_jni_UserNamespaces_map(JNIEnv *env, jclass type, jstring users,
							   jstring groups)
{
	const char *of_users = (*env)->GetStringUTFChars(env, users, NULL);
	const char *of_groups = (*env)->GetStringUTFChars(env, groups, NULL);
	int space = of_users && of_groups ? users_map(of_users, of_groups) : -ENOMEM;

	(void)type;
	if (of_users)
		(*env)->ReleaseStringUTFChars(env, users, of_users);
	if (of_groups)
		(*env)->ReleaseStringUTFChars(env, groups, of_groups);
	return space;
}
