package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon or its client dies while an archive goes from one to the other. */
class BrokenStreamsTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Ovlctl ovlctl;
  private Mountd daemon;

  /** {@code base} has more than what lies in buffers between two processes. */
  @BeforeEach
  void layer() {
    Requires.overlay();
    Ovlctl plain = Ovlctl.of(scratch).installed();
    daemon = hosting.daemon(plain);
    ovlctl = plain.with("OVL_HOST", daemon.host());
    ovlctl
        .shell(
            """
            mkdir tree more && head -c 8000000 /dev/urandom >tree/big && echo more >more/file
            tar -C tree -cf tree.tar . && tar -C more -cf more.tar .
            ovlctl layer create base && ovlctl layer apply base tree.tar && mkfifo slow
            """)
        .fine();
  }

  /** Runs a script with an upload under way, as {@code client}, that waits for its other half. */
  private Result whileUploading(String script) {
    return ovlctl.shell(
        """
        { head -c 4000000 tree.tar; exec sleep 100; } >slow & holder=$!
        ovlctl layer apply base <slow & job=$!
        until [ -e root/overlay2/base/.tmp-diff ]; do sleep 0.02; done
        client=$(pgrep -P $job)
        %s
        wait $job; status=$?
        kill $holder
        exit $status
        """
            .formatted(script));
  }

  /** Runs a script with a download under way, as {@code client}, that nobody reads. */
  private Result whileDownloading(String script) {
    return ovlctl.shell(
        """
        { ovlctl layer diff base; echo $? >status; } >slow & job=$!
        exec 5<slow
        head -c 100 <&5 >/dev/null
        client=$(pgrep -P $job)
        %s
        cat <&5 >rest
        wait $job
        exit $(cat status)
        """
            .formatted(script));
  }

  private void assertAsItWas() {
    assertAsItWas("");
  }

  /**
   * @param told by the next command that changes something
   */
  private void assertAsItWas(String told) {
    Ovlctl alone = Ovlctl.of(scratch).with("OVL_HOST", "none");
    Result next =
        alone
            .shell(
                """
                mkdir out && ovlctl layer diff base | tar -C out -x && diff -r tree out &&
                  ovlctl layer apply base more.tar && ovlctl layer commit base
                """)
            .ended(0);
    assertEquals(told, next.err());
    assertEquals("A /big\nA /file\n", alone.run("layer", "changes", "base").fine().out());
  }

  private String whichDaemon() {
    return " (" + daemon.socket() + ")";
  }

  @Test
  void aDaemonThatIsKilledInAnUploadIsOneLine() {
    Result upload = whileUploading("kill -9 " + daemon.pid());
    assertEquals(
        "layer apply base: the daemon ended before it had answered"
            + whichDaemon()
            + "; whether it was done is not known",
        upload.ended(1).errorLine());
    assertAsItWas("ovlctl: overlay2: layer base: removed content that was never whole\n");
  }

  @Test
  void aDaemonThatIsKilledInADownloadIsOneLine() {
    Result download = whileDownloading("kill -9 " + daemon.pid());
    assertEquals(
        "layer diff base: the daemon ended in the middle of the archive" + whichDaemon(),
        download.ended(1).errorLine());
    assertAsItWas();
  }

  @Test
  void aClientThatIsKilledInAnUploadLeavesNothing() {
    whileUploading("kill -9 $client").ended(137);
    daemon.await(() -> daemon.log().contains("layer apply base: failed"), "gave up");
    assertTrue(daemon.log().contains("layer apply base: failed"));
    ovlctl.shell("! [ -e root/overlay2/base/.tmp-diff ]").fine();
    assertAsItWas();
  }

  /** It leaves its place in the lane, too. */
  @Test
  void aClientThatIsKilledInADownloadHoldsNothing() {
    whileDownloading("kill -9 $client").ended(137);
    daemon.await(
        () ->
            ovlctl
                    .shell(
                        "curl -s --unix-socket "
                            + daemon.socket()
                            + " http://localhost/v1/metrics | grep -q '^ovl_requests_in_progress 0$'")
                    .status()
                == 0,
        "has nothing under way");
    assertAsItWas();
  }

  /** Others of that layer are served while somebody reads slowly, and nobody waits in its lane. */
  @Test
  void slowReadersKeepNobodyOut() {
    ovlctl
        .shell(
            """
            for i in 1 2 3 4 5 6 7; do mkfifo p$i; ovlctl layer diff base >p$i & done
            exec 5<slow 2>/dev/null & opener=$!
            for i in 1 2 3 4 5 6 7; do eval "exec 1$i<p$i"; done
            for i in 1 2 3 4 5 6 7; do head -c 1 <&1$i >/dev/null; done
            kill $opener
            ovlctl layer inspect base >/dev/null && ovlctl layer size base >/dev/null &&
              ovlctl layer create other && ovlctl layer apply base more.tar
            status=$?
            for i in 1 2 3 4 5 6 7; do eval "exec 1$i<&-"; done
            wait 2>/dev/null
            exit $status
            """)
        .ended(0);
  }
}
