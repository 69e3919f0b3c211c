package dev.ovl.server.http;

/** Answers requests, for any number of threads. */
public interface RequestHandler {
  /** Answers one; may take its time. What it throws is a defect and ends the connection. */
  HttpAnswer handle(HttpRequest request);

  /**
   * Whether the body of such a request is of any length, and read as it comes by who answers. Then
   * the connection ends with the answer.
   */
  boolean takesBodyAsItComes(String method, String path);

  /**
   * What a request is answered with that cannot be read; its connection ends then.
   *
   * @param status of HTTP
   * @param message why
   */
  HttpAnswer.Whole refuse(int status, String message);
}
