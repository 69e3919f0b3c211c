package dev.ovl.server.systemd;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * Signals other than those that end a JVM. The JDK has nothing but sun.misc.Signal for them, which
 * jdk.unsupported exports for this use; it is reached by name, since a compiler that treats
 * warnings as errors accepts no class of that package.
 */
public final class Signals {
  private Signals() {}

  /**
   * Runs an action, in a thread of its own, each time a signal comes.
   *
   * @param signal without SIG: {@code "HUP"}
   * @throws IllegalStateException this JVM does not do that
   */
  public static void on(String signal, Runnable action) {
    try {
      Class<?> signalType = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              MethodHandles.lookup().lookupClass().getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, arguments) -> {
                action.run();
                return null;
              });
      signalType
          .getMethod("handle", signalType, handlerType)
          .invoke(null, signalType.getConstructor(String.class).newInstance(signal), handler);
    } catch (ReflectiveOperationException e) {
      Throwable cause = e instanceof InvocationTargetException wrapped ? wrapped.getCause() : e;
      throw new IllegalStateException("SIG" + signal + " cannot be handled: " + cause, e);
    }
  }
}
