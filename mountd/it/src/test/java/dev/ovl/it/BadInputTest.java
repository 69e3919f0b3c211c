package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What cannot be done is refused in one line that says why, and changes nothing. */
@ParameterizedClass
@EnumSource
class BadInputTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @RegisterExtension final Scratch other = Scratch.tmpfs();

  @Parameter private Host host;
  private Ovlctl ovlctl;

  /** A root with one stack, {@code web}, which is down. */
  @BeforeEach
  void aRootWithAStack() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host).with("OTHER", other.path().toString());
    ovlctl
        .shell(
            """
            mkdir -p lower/inner lower2 upper work merged webup webwork webmerged full/x
            touch file
            ovlctl create web --lower lower --upper webup --work webwork --at webmerged
            """)
        .fine();
  }

  /** Runs a command line of the shell, which must be refused with these words in its one line. */
  private void refused(int status, String command, String... words) {
    World before = World.of(scratch, other);
    String line = ovlctl.shell(command).failed(status);
    before.assertUnchanged(World.of(scratch, other), command);
    for (String word : words) {
      assertTrue(line.contains(word), () -> command + " said: " + line + "\nwithout: " + word);
    }
  }

  @Test
  void lowers() {
    refused(1, "ovlctl create x --lower nosuch", "create x: lower does not exist", "(ENOENT)");
    refused(1, "ovlctl create x --lower file", "not a directory", "/file", "(ENOTDIR)");
    refused(1, "ovlctl create x --lower file/in", "(ENOTDIR)");
    refused(1, "ovlctl create x --lower lower --lower lower2 --lower ./lower/", "(ELOOP)");
    refused(1, "ovlctl create x --lower lower/inner --lower lower", "lies inside", "(ELOOP)");
    refused(1, "ovlctl create x --lower lower --lower lower/inner", "lies inside", "(ELOOP)");
    refused(2, "ovlctl create x", "needs a lower");
    refused(2, "ovlctl create x --lower ''", "empty");
    refused(1, "ovlctl set web --lower nosuch", "set web: lower does not exist", "(ENOENT)");
    refused(
        1,
        "ln -s ../lower lower2/same; ovlctl create x --lower lower --lower lower2/same; s=$?;"
            + " rm lower2/same; exit $s",
        "the same directory",
        "(ELOOP)");
    refused(
        1,
        "mkdir $OTHER/{1..1000}; ovlctl create x $(printf -- \"--lower $OTHER/%s \" {1..1000});"
            + " s=$?; rmdir $OTHER/*; exit $s",
        "999");
  }

  @Test
  void upperAndWork() {
    refused(2, "ovlctl create x --lower lower --upper upper", "--work");
    refused(2, "ovlctl create x --lower lower --work work", "--upper");
    refused(1, "ovlctl create x --lower lower --upper nosuch --work work", "upper", "(ENOENT)");
    refused(1, "ovlctl create x --lower lower --upper upper --work nosuch", "work", "(ENOENT)");
    refused(1, "ovlctl create x --lower lower --upper file --work work", "(ENOTDIR)");
    refused(1, "ovlctl create x --lower lower --upper upper --work full", "empty", "(ENOTEMPTY)");
    refused(
        1,
        "mkdir $OTHER/w; ovlctl create x --lower lower --upper upper --work $OTHER/w; s=$?;"
            + " rmdir $OTHER/w; exit $s",
        "different file systems",
        "(EXDEV)");
    refused(1, "ovlctl create x --lower lower --upper upper --work upper", "inside each other");
    refused(1, "ovlctl create x --lower lower --upper lower --work work", "also a lower");
    refused(1, "ovlctl create x --lower full/x --upper full --work work", "lies inside upper");
    refused(2, "ovlctl create x --lower lower --upper upper --work work --read-only", "read-only");
  }

  @Test
  void anUpperOnAnOverlay() {
    ovlctl.run("up", "web").ended(0);
    ovlctl.shell("mkdir webmerged/u webmerged/w").fine();
    refused(
        1,
        "ovlctl create x --lower lower2 --upper webmerged/u --work webmerged/w",
        "overlay",
        "(EINVAL)");
  }

  @Test
  void anUpperInUse() {
    refused(
        1,
        "ovlctl create x --lower lower2 --upper webup --work work",
        "belongs to stack web",
        "(EBUSY)");
    refused(
        1,
        "ovlctl create x --lower lower2 --upper upper --work webwork",
        "belongs to stack web",
        "(EBUSY)");
    // absolute: of an upper that was given by a relative path the kernel shows too little
    ovlctl
        .shell(
            "mount -t overlay byhand -o lowerdir=lower,upperdir=$PWD/upper,workdir=$PWD/work"
                + " merged")
        .fine();
    refused(1, "ovlctl create x --lower lower2 --upper upper --work work", "in use", "(EBUSY)");
    refused(
        1, "ovlctl mount -o lowerdir=lower2,upperdir=upper,workdir=work full", "in use", "(EBUSY)");

    // a stack whose upper somebody mounts by hand meanwhile
    ovlctl
        .shell(
            "mount -t overlay byhand -o lowerdir=lower2,upperdir=$PWD/webup,workdir=$PWD/webwork"
                + " full")
        .fine();
    refused(1, "ovlctl up web", "up web: ", "in use", "full", "(EBUSY)");
  }

  @Test
  void names() {
    refused(2, "ovlctl create a/b --lower lower", "slash");
    refused(2, "ovlctl create --lower lower -- -x", "begins with '-'");
    refused(2, "ovlctl create --lower lower -x", "create: ");
    refused(2, "ovlctl create .x --lower lower", "begins with '.'");
    refused(2, "ovlctl create $'a\\tb' --lower lower", "control character");
    refused(2, "ovlctl create '' --lower lower", "empty");
    refused(2, "ovlctl create $(printf 'x%.0s' {1..65}) --lower lower", "64 bytes");
    refused(2, "ovlctl create $(printf '\\303\\251%.0s' {1..33}) --lower lower", "64 bytes");
    refused(1, "ovlctl create web --lower lower", "exists", "(EEXIST)");
    refused(1, "ovlctl clone web web --at default --upper upper --work work", "exists", "(EEXIST)");
    ovlctl.shell("ovlctl create $(printf 'x%.0s' {1..64}) --lower lower").fine();
  }

  @Test
  void targets() {
    refused(1, "ovlctl create x --lower lower --at nosuch", "target does not exist", "(ENOENT)");
    refused(1, "ovlctl create x --lower lower --at file", "target is not a dir", "(ENOTDIR)");
    refused(1, "ovlctl mount -o lowerdir=lower nosuch", "target does not exist", "(ENOENT)");
    refused(1, "ovlctl mount -o lowerdir=lower file", "target is not a dir", "(ENOTDIR)");

    ovlctl.shell("rmdir webmerged").fine();
    refused(1, "ovlctl up web", "up web: target does not exist", "(ENOENT)");
    ovlctl.shell("touch webmerged").fine();
    refused(1, "ovlctl up web", "up web: target is not a dir", "(ENOTDIR)");
  }

  @Test
  void aBusyTarget() {
    ovlctl.run("create", "x", "--lower", "lower2", "--at", "webmerged").ended(0);
    ovlctl.run("up", "web").ended(0);
    refused(1, "ovlctl up x", "up x: ", "webmerged", "(EBUSY)");
  }

  @Test
  void lowersLostMeanwhile() {
    ovlctl.shell("mv lower gone").fine();
    refused(1, "ovlctl up web", "up web: lower does not exist", "(ENOENT)");
    ovlctl.shell("mv gone lower; touch webwork/x").fine();
    refused(1, "ovlctl set web --lower lower", "work is not empty", "(ENOTEMPTY)");
  }

  @Test
  void noSuchStack() {
    for (String verb : new String[] {"up", "down", "rm", "inspect", "set", "clone"}) {
      String more = verb.equals("set") ? " --lower lower" : verb.equals("clone") ? " new" : "";
      refused(1, "ovlctl " + verb + " nosuch" + more, verb + " nosuch: no such stack (ENOENT)");
    }
    refused(4, "ovlctl status nosuch", "status nosuch: no such stack (ENOENT)");
  }

  @Test
  void options() {
    refused(2, "ovlctl create x --lower lower -o bogus", "unknown option bogus", "redirect_dir");
    refused(2, "ovlctl create x --lower lower -o index=maybe", "index takes", "maybe");
    refused(2, "ovlctl create x --lower lower -o userxattr,metacopy=on", "exclude each other");
    refused(
        2, "ovlctl create x --lower lower -o metacopy=on,redirect_dir=off", "exclude each other");
    refused(2, "ovlctl create x --lower lower --method best", "best");
    refused(2, "ovlctl create x --lower lower --propagation best", "best");
    refused(2, "ovlctl create x --lower lower --driver zfs", "zfs", "overlay2");
    refused(2, "ovlctl mount -o lowerdir=lower,upperdir=upper merged", "need each other");
    refused(2, "ovlctl mount -o lowerdir=lower,bogus merged", "bogus");
    refused(2, "ovlctl mount merged", "-o");
  }

  @Test
  void aCorruptDefinition() {
    ovlctl.run("create", "good", "--lower", "lower2").ended(0);
    ovlctl.shell("echo '{\"schema\": 1, \"na' > root/stacks/web.json").fine();
    String file = "root/stacks/web.json";
    for (String verb : new String[] {"up", "down", "rm", "rm --force", "inspect", "set", "clone"}) {
      String more = verb.equals("set") ? " --lower lower" : verb.equals("clone") ? " new" : "";
      refused(1, "ovlctl " + verb + " web" + more, " web: ", file);
    }
    refused(1, "ovlctl status web", file);
    refused(1, "ovlctl create web --lower lower2", "exists");

    Result list = ovlctl.run("ls").ended(1);
    assertTrue(list.errorLine().contains(file), list::toString);
    assertTrue(list.lines().get(1).startsWith("good  down"), list::toString);
    Result json = ovlctl.run("ls", "--json").ended(1);
    assertEquals("good", JsonText.objects(json.json()).get(0).get("name"));
    assertTrue(((String) JsonText.objects(json.json()).get(1).get("error")).contains(file));

    Result all = ovlctl.run("up", "--all").ended(1);
    assertTrue(all.errorLine().contains(file), all::toString);
    assertEquals(1, all.lines().size(), "the other stack works");
    assertEquals(
        "good: up on " + all.lines().get(0) + "\n", ovlctl.run("status", "good").fine().out());
  }

  @Test
  void aDefinitionOfANewerVersion() {
    ovlctl.shell("sed -i 's/\"schema\": *1/\"schema\": 99/' root/stacks/web.json").fine();
    refused(1, "ovlctl up web", "up web: ", "root/stacks/web.json");
  }

  @Test
  void aRootOfANewerVersion() {
    // a daemon has read it when it first worked there
    ovlctl = ovlctl.with("OVL_HOST", "none");
    ovlctl.shell("echo '{\"schema\": 99}' > root/ovl.json").fine();
    refused(1, "ovlctl ls", "newer", "99");
    refused(1, "ovlctl up web", "newer", "99");
    refused(1, "ovlctl create x --lower lower", "newer", "99");
    ovlctl.shell("echo '{' > root/ovl.json").fine();
    refused(1, "ovlctl ls", "ovl.json");
  }
}
