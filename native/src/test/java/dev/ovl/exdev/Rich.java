package dev.ovl.exdev;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;

/** A small tree in which there is one of everything. */
final class Rich {
  private Rich() {}

  /** Skips the test where the programs that make it are missing. */
  static void require() {
    Requires.program("setfattr");
    Requires.program("setfacl");
    Requires.program("setcap");
    Requires.program("perl");
  }

  /** Makes the tree, with what works on tmpfs as well. */
  static void make(OsPath parent, String name) {
    Program.shell(
        parent,
        """
        mkdir -p %1$s/sub/deeper %1$s/empty %1$s/$'not \\xff utf-8'
        cd %1$s
        echo some >file
        chmod 4751 file
        ln file sub/again
        ln file sub/deeper/third
        touch sub/none
        ln -s nowhere sub/dangling
        ln -s .. sub/up
        mkfifo -m 640 pipe
        mknod -m 604 sub/null c 1 3
        mknod sub/disk b 259 70000
        perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un "socket" or die'
        chmod 4711 socket
        ln pipe sub/pipe
        # holes in front, between and behind
        truncate -s 3M sparse
        printf abc | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
        printf def | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
        truncate -s 700000 hole
        head -c 300001 /dev/urandom >$(printf 'n%%.0s' $(seq 255))
        chown -h 12:13 sub/deeper sub/dangling sub/null
        chown 1:2 sparse
        chown 3:4 sub/disk pipe
        setfattr -n user.colour -v blue sub
        setfattr -n user.empty file
        setfattr -h -n trusted.of -v link sub/dangling
        setfattr -n trusted.of -v pipe pipe
        setfattr -n user.long -v $(printf 'v%%.0s' $(seq 1500)) sparse
        setfacl -m u:5:rx,g:7:- sub hole
        setfacl -d -m u:6:rwx sub
        setcap cap_net_raw,cap_chown+ep sparse
        chmod 3711 sub/deeper
        chmod 0000 empty hole
        chmod 0555 sub/deeper
        touch -h -a -d '1999-12-31 23:59:59.987654321' file sub/dangling pipe sparse
        touch -h -m -d '2001-02-03 04:05:06.789012345' file sub/dangling pipe sparse empty
        touch -m -d '1969-12-31 23:59:58.5' sub/deeper
        touch -m -d '2040-01-01 00:00:00.000000001' sub
        touch -m -d '2002-02-02' .
        """
            .formatted(name));
  }

  /** Access times and what is on the disk, of each file; the rest a snapshot tells. */
  static String shape(OsPath tree) {
    return Program.shell(
        tree,
        """
        find . -type f -printf '%p %S\\n' | sed 's/ [1-9].*/ full/; s/ 0.*/ has holes/' | sort
        find . ! -type d ! -type l -printf '%p %A@\\n' | sort
        """);
  }
}
