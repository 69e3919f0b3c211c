/** Tests of what Java calls in C. */
package dev.ovl.jni;
