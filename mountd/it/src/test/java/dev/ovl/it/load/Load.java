package dev.ovl.it.load;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.it.Mountd;
import dev.ovl.testkit.Scratch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Clients at work on the stacks of one root, round by round; between two rounds they rest, so that
 * all can be looked at.
 */
final class Load implements AutoCloseable {
  /** Well beyond the deadline of a request. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** One stack in so many is shared by all clients. */
  private static final int SHARED = 10;

  private final Path scratch;
  private final Site site;
  private final List<Client> clients = new ArrayList<>();
  private final List<HttpHost> hosts = new ArrayList<>();
  private final Map<String, History> histories = new TreeMap<>();
  private final Map<String, StackState> shared = new TreeMap<>();

  /** Whether a daemon was. */
  private boolean killed;

  /**
   * Nothing is asked yet.
   *
   * @param stacks how many there are at most
   */
  Load(Scratch scratch, Mountd daemon, int clients, int stacks, long seed) {
    this.scratch = Path.of(scratch.path().toString());
    List<List<String>> own =
        Stream.generate(() -> (List<String>) new ArrayList<String>()).limit(clients).toList();
    List<String> all = new ArrayList<>();
    int owned = 0;
    for (int i = 0; i < stacks; i++) {
      String name = "s" + i;
      all.add(name);
      if (i % SHARED == 0) {
        histories.put(name, new History());
        shared.put(name, StackState.ABSENT);
      } else {
        own.get(owned++ % clients).add(name);
      }
    }
    this.site = new Site(scratch, all);
    for (int i = 0; i < clients; i++) {
      this.clients.add(new Client(site, seed + i, own.get(i), histories));
      hosts.add(daemon.client());
    }
  }

  Site site() {
    return site;
  }

  /** Requests that were answered. */
  long answered() {
    return clients.stream().mapToLong(Client::answered).sum();
  }

  /** What each client does at once. */
  private interface Work {
    void run(Client client, CommandHost host) throws HostException;
  }

  /** Creates all stacks that are one client's. */
  void populate(Mountd daemon) throws HostException {
    for (HttpHost host : hosts) {
      host.about();
    }
    atOnce(daemon, Client::populate).join();
  }

  /** Asks for a while; each client must get on. */
  void round(Mountd daemon, Duration time) {
    List<Long> before = clients.stream().map(Client::answered).toList();
    long end = System.nanoTime() + time.toNanos();
    atOnce(
            daemon,
            (client, host) -> {
              while (System.nanoTime() < end) {
                client.ask(host);
              }
            })
        .join();
    for (int i = 0; i < clients.size(); i++) {
      if (clients.get(i).answered() == before.get(i)) {
        throw new AssertionError("client " + i + " got no answer\n" + daemon.threadDump());
      }
    }
  }

  /** Asks until the daemon is killed, which the caller does after a while. */
  void roundUntilKilled(Mountd daemon, long microsBeforeKill) {
    Round round =
        atOnce(
            daemon,
            (client, host) -> {
              while (true) {
                client.ask(host);
              }
            });
    java.util.concurrent.locks.LockSupport.parkNanos(
        TimeUnit.MICROSECONDS.toNanos(microsBeforeKill));
    round.kill();
    killed = true;
  }

  private Round atOnce(Mountd daemon, Work work) {
    return new Round(daemon, work);
  }

  /** The clients' threads. */
  private final class Round {
    private final Mountd daemon;
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean killed;

    Round(Mountd daemon, Work work) {
      this.daemon = daemon;
      for (int i = 0; i < clients.size(); i++) {
        Client client = clients.get(i);
        HttpHost host = hosts.get(i);
        threads.add(Thread.ofPlatform().name("client-" + i).start(() -> run(work, client, host)));
      }
    }

    private void run(Work work, Client client, HttpHost host) {
      try {
        work.run(client, host);
      } catch (HostException e) {
        if (!killed) {
          failures.add(e);
        }
      } catch (RuntimeException | AssertionError e) {
        failures.add(e);
      }
    }

    void kill() {
      killed = true;
      daemon.kill();
      join();
    }

    /** Waits until all have ended, and fails if one did. */
    void join() {
      long end = System.nanoTime() + PATIENCE.toNanos();
      for (Thread thread : threads) {
        try {
          if (!thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
            throw new AssertionError(thread + " does not get on\n" + daemon.threadDump());
          }
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new AssertionError("interrupted", e);
        }
      }
      if (!failures.isEmpty()) {
        AssertionError first =
            new AssertionError(failures.size() + " clients failed", failures.peek());
        failures.stream().skip(1).limit(3).forEach(first::addSuppressed);
        throw first;
      }
    }
  }

  /** Fails unless all is as the answers said. To be called between rounds. */
  void check(CommandHost host) throws HostException {
    Map<String, StackState> expected = new TreeMap<>();
    for (Client client : clients) {
      client.lookAgain(host);
      for (Map.Entry<String, Set<StackState>> one : client.known().entrySet()) {
        expected.put(one.getKey(), one.getValue().iterator().next());
      }
    }
    for (Map.Entry<String, History> one : histories.entrySet()) {
      String stack = one.getKey();
      Request question = Request.inspect(site, stack);
      long begin = System.nanoTime();
      Answer answer = question.send(host);
      one.getValue().answered(question, answer, begin, System.nanoTime());
      one.getValue().settle(shared.get(stack));
      shared.put(stack, Client.seen(host, site, stack));
    }
    expected.putAll(shared);
    new Audit(site, scratch, host, killed).check(expected);
  }

  /** Removes all stacks. */
  void removeAll(CommandHost host) throws HostException {
    for (var entry : host.list()) {
      host.remove(entry.name(), true, false);
    }
  }

  /** Ends the clients' connections. */
  @Override
  public void close() {
    hosts.forEach(HttpHost::close);
  }
}
