package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** All stacks at once: the same as each by itself. */
class SummariesTest {
  @RegisterExtension final StackLab lab = new StackLab();

  /** What is told of all, after a comparison with what is told of each. */
  private List<StackState> states() throws EngineException, ErrnoException {
    List<StackState> states = new ArrayList<>();
    for (StackListing listing : lab.stacks().summaries()) {
      StackSummary summary = ((StackListing.Told) listing).summary();
      assertEquals(lab.stacks().summary(listing.name()), summary);
      states.add(summary.state());
    }
    return states;
  }

  @Test
  void inEveryState() throws Exception {
    assertEquals(List.of(), lab.stacks().summaries());
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("down", lower).create();
    lab.stack("up", lower).up();
    lab.stack("up-read-only", lower).readOnly().at(lab.directory("target")).up();
    lab.mountTmpfs(lab.stack("up-under", lower).up());
    OsPath moved = lab.stack("up-elsewhere", lower).up();
    lab.sys.mount(moved, lab.directory("elsewhere"), "", Linux.MS_MOVE, new byte[0]);
    // of the same name and another root: none of ours
    Stacks foreign = lab.stacks(lab.sys, lab.path("root2"), lab.path("run2"));
    StackRequest request = lab.stack("down", lower).request();
    foreign.create(request);
    foreign.up(request.name(), false);

    List<StackState> states = states();
    assertInstanceOf(StackState.Down.class, states.get(0));
    assertInstanceOf(StackState.Up.class, states.get(1));
    assertInstanceOf(StackState.Moved.class, states.get(2));
    assertInstanceOf(StackState.Up.class, states.get(3));
    assertInstanceOf(StackState.Covered.class, states.get(4));
    assertEquals(5, states.size());

    // and without the records
    lab.files.removeTree(lab.run().resolve("stacks"));
    assertEquals(states, states());
  }

  @Test
  void anUnreadableOneIsTold() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("one", lower).create();
    lab.stack("two", lower).create();
    lab.write(lab.root().resolve("stacks/one.json"), "{");
    List<StackListing> all = lab.stacks().summaries();
    StackListing.Untold one = assertInstanceOf(StackListing.Untold.class, all.get(0));
    assertEquals(StackLab.name("one"), one.name());
    assertTrue(one.why().getMessage().contains("cannot be read"), one.why().getMessage());
    assertEquals(StackLab.name("two"), all.get(1).name());
  }
}
