/**
 * What must run in C: work in a forked child, which a Java machine cannot do safely.
 *
 * <ul>
 *   <li>{@link dev.ovl.jni.CommandRunner} starts a command in namespaces of its own, {@link
 *       dev.ovl.jni.CommandPlan} says what it is to be, {@link dev.ovl.jni.Problem} what goes wrong
 *       with it; {@link dev.ovl.jni.ForkedCommand} is one that is this process's child.
 *   <li>{@link dev.ovl.jni.UserNamespaces} are held by a child until a descriptor holds them;
 *       {@link dev.ovl.jni.MountNamespaces} are entered by one.
 *   <li>{@code NativeLibrary} loads {@code libovl-jni.so}, whose sources are in src/main/c/jni and
 *       the directories that those name; {@link dev.ovl.jni.NativeLibraries} says where it and
 *       others are.
 * </ul>
 *
 * <p>Imports {@code dev.ovl.sys} alone.
 */
package dev.ovl.jni;
