/**
 * What must run in C: work in a forked child, which a Java machine cannot do safely.
 *
 * <ul>
 *   <li>{@link dev.ovl.jni.RunningCommand} is a command in namespaces of its own, {@link
 *       dev.ovl.jni.CommandPlan} what it is to be, {@link dev.ovl.jni.Problem} what goes wrong with
 *       it.
 *   <li>{@code NativeLibrary} loads {@code libovl-jni.so}, whose sources are in src/main/c/jni and
 *       the directories that those name; {@link dev.ovl.jni.NativeLibraries} says where it and
 *       others are.
 * </ul>
 *
 * <p>Imports {@code dev.ovl.sys} alone.
 */
package dev.ovl.jni;
