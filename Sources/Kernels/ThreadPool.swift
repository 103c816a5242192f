internal import Glibc
internal import Synchronization

/// A fixed set of threads that run numbered tasks together with the caller.
///
/// Workers spin for about a tenth of a millisecond between runs and then sleep, because a network
/// step is hundreds of short regions in a row. Results never depend on the number of threads as
/// long as every task writes its own outputs and the cut into tasks does not depend on `threads`.
///
/// SAFETY: the only mutable state is atomic or guarded by `mutex`; a task's closure is read only
/// after a task of its own run has been claimed, and `run` returns only when all are done.
public final class ThreadPool: @unchecked Sendable {
  /// The number of threads that work in a run, the caller included.
  public let threads: Int

  /// Memory for the plans that compute on this pool.
  let workspace: Workspace
  /// The bytes of that memory.
  public var scratchBytes: Int { workspace.bytes }

  private let shared: Shared
  private var handles: [pthread_t] = []

  /// The step to the task that a thread is likely to do next, 1 or -1: where what it reads may be
  /// fetched meanwhile.
  var direction: Int { threads > 1 && shared.isBackwards ? -1 : 1 }

  /// Starts `threads - 1` workers; the caller of `run` is the remaining thread.
  public init(threads: Int) {
    precondition(threads >= 1, "a thread pool needs at least one thread")
    self.threads = threads
    workspace = Workspace(workers: threads)
    let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    shared = Shared(threads: threads, spins: threads <= cores ? 100_000 : 2_000)
    for worker in 1..<threads {
      var handle = pthread_t()
      let argument = Unmanaged.passRetained(Start(shared: shared, worker: worker))
      let status = pthread_create(
        &handle, nil,
        { argument in
          guard let argument else { return nil }
          let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
          start.shared.work(start.worker)
          return nil
        }, argument.toOpaque())
      precondition(status == 0, "a worker thread could not be started")
      handles.append(handle)
    }
  }

  deinit {
    shared.stop()
    for handle in handles { pthread_join(handle, nil) }
  }

  /// Runs `body(0)` ... `body(count - 1)`, in any order and on any thread, and waits for all.
  ///
  /// Every thread has its own part of neighbouring tasks and then helps the others, and every other
  /// run is done from its end: what a run left in a core's cache the next one finds there. A run
  /// inside a task, or while another thread is using the pool, executes on the calling thread alone.
  public func run(_ count: Int, _ body: (Int) -> Void) {
    runOnWorkers(count) { index, _ in body(index) }
  }

  /// Runs all tasks like `run`.
  /// - Returns: whether all of them said yes.
  func runAll(_ count: Int, _ body: (Int) -> Bool) -> Bool {
    let hasFailed = Atomic<Bool>(false)
    run(count) { index in
      if !body(index) { hasFailed.store(true, ordering: .relaxed) }
    }
    return !hasFailed.load(ordering: .relaxed)
  }

  /// Like `run`; the second argument numbers the thread, 0 ..< threads, for its own scratch memory.
  /// Only one run of a pool at a time may rely on it.
  public func runOnWorkers(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    runOnWorkers(count, then: 0, body)
  }

  /// Like `runOnWorkers`; each thread prepares itself before its first task.
  func runOnWorkers(
    _ count: Int, preparing prepare: (_ worker: Int) -> Void,
    then body: (_ index: Int, _ worker: Int) -> Void
  ) {
    // A thread's flag is far enough from those of others.
    let pitch = 128
    withUnsafeTemporaryAllocation(of: Bool.self, capacity: threads * pitch) { isReady in
      isReady.initialize(repeating: false)
      runOnWorkers(count) { index, worker in
        if !isReady[worker &* pitch] {
          prepare(worker)
          isReady[worker &* pitch] = true
        }
        body(index, worker)
      }
    }
  }

  /// Like `runOnWorkers` for two kinds of tasks that need nothing of each other: 0 ..< first, and
  /// behind them `second` more, which threads begin when none of the first is left. Large tasks come
  /// first and small ones fill what would be a wait for their end.
  public func runOnWorkers(
    _ first: Int, then second: Int, _ body: (_ index: Int, _ worker: Int) -> Void
  ) {
    let count = first &+ second
    if count <= 1 || threads == 1 || !shared.tryEnter() {
      var index = 0
      while index < count {
        body(index, 0)
        index &+= 1
      }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { shared.run(first, then: second, $0) }
    }
    shared.leave()
  }
}

/// What a new thread is told.
private final class Start: Sendable {
  let shared: Shared
  let worker: Int

  init(shared: Shared, worker: Int) {
    self.shared = shared
    self.worker = worker
  }
}

/// What the pool and its workers share. It outlives the pool by the workers' references.
///
/// SAFETY: the tickets are atomic, and their memory lives as long as the object.
private final class Shared: @unchecked Sendable {
  typealias Body = (Int, Int) -> Void

  private let threads: Int
  /// For each thread's part of the first tasks, then of the second, the run's number (high half) and
  /// how many are unclaimed (low half). A task is claimed by exchanging the whole word, so that a late
  /// worker can never touch another run.
  private let tickets: UnsafeMutablePointer<Atomic<UInt64>>
  /// Words from ticket to ticket: each in two cache lines of its own.
  private static let pitch = 16
  /// The number of the latest run.
  private let generation = Atomic<UInt64>(0)
  /// How many tasks come first, and how many there are.
  private let first = Atomic<Int>(0)
  private let count = Atomic<Int>(0)
  private let body = Atomic<UInt>(0)
  private let completed = Atomic<Int>(0)
  private let busy = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let spins: Int
  private let gate = Gate()

  init(threads: Int, spins: Int) {
    self.threads = threads
    self.spins = spins
    tickets = .allocate(capacity: 2 * threads * Self.pitch)
    for index in 0..<2 * threads * Self.pitch { (tickets + index).initialize(to: Atomic(0)) }
  }

  deinit {
    tickets.deinitialize(count: 2 * threads * Self.pitch)
    tickets.deallocate()
  }

  func tryEnter() -> Bool {
    busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
  }

  func leave() { busy.store(false, ordering: .releasing) }

  /// Whether the latest run is done from its end.
  var isBackwards: Bool { Self.isBackwards(generation.load(ordering: .relaxed)) }

  private static func isBackwards(_ run: UInt64) -> Bool { run & 1 != 0 }

  /// The tasks of a thread's part, of the first ones or (parts from `threads` on) of the second.
  private func tasks(_ part: Int, _ first: Int, _ total: Int) -> Range<Int> {
    if part < threads { return first &* part / threads..<first &* (part &+ 1) / threads }
    let (second, part) = (total &- first, part &- threads)
    return first &+ second &* part / threads..<first &+ second &* (part &+ 1) / threads
  }

  func run(_ first: Int, then second: Int, _ pointer: UnsafePointer<Body>) {
    let total = first &+ second
    self.first.store(first, ordering: .relaxed)
    count.store(total, ordering: .relaxed)
    body.store(UInt(bitPattern: pointer), ordering: .relaxed)
    completed.store(0, ordering: .relaxed)
    let next = generation.load(ordering: .relaxed) &+ 1
    // The tickets of second tasks are used up since the last run that had some.
    for part in 0..<(second > 0 ? 2 &* threads : threads) {
      let count = tasks(part, first, total).count
      tickets[part &* Self.pitch].store(next << 32 | UInt64(count), ordering: .releasing)
    }
    generation.store(next, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { gate.openToAll() }
    drain(0)
    var waits = 0
    while completed.load(ordering: .acquiring) < total {
      waits &+= 1
      if waits > 100_000 { sched_yield() }
    }
  }

  /// Claims and runs tasks of the current run until none is left: those of the worker's own part,
  /// then those of the parts behind it; the second tasks when none of the first is left.
  private func drain(_ worker: Int) {
    for kind in 0..<2 {
      for part in worker..<threads { drain(kind &* threads &+ part, worker) }
      for part in 0..<worker { drain(kind &* threads &+ part, worker) }
    }
  }

  private func drain(_ part: Int, _ worker: Int) {
    let ticket = tickets + part &* Self.pitch
    var word = ticket.pointee.load(ordering: .acquiring)
    guard Self.claim(ticket, &word) else { return }
    // The run does not end before this task counts: its total and its closure are those of now, and so
    // are all tasks that are claimed meanwhile.
    let done = run(part, claimed: word, ticket, worker)
    completed.add(done, ordering: .releasing)
  }

  /// Claims a task of a part.
  ///
  /// - Parameter word: the ticket as it was last seen; then as it was before the claim.
  /// - Returns: whether there was one left.
  private static func claim(_ ticket: UnsafeMutablePointer<Atomic<UInt64>>, _ word: inout UInt64)
    -> Bool
  {
    while word & 0xFFFF_FFFF != 0 {
      let claim = ticket.pointee.compareExchange(
        expected: word, desired: word &- 1, ordering: .acquiringAndReleasing)
      if claim.exchanged { return true }
      word = claim.original
    }
    return false
  }

  /// Runs a claimed task and claims others of its part until none is left.
  ///
  /// The closure is loaded once, where for each task two threads would change its reference count in the
  /// same line of the cache; and it is let go before the tasks count, hence a function of its own.
  /// - Returns: how many were run.
  @inline(never)
  private func run(
    _ part: Int, claimed: UInt64, _ ticket: UnsafeMutablePointer<Atomic<UInt64>>, _ worker: Int
  ) -> Int {
    // SAFETY: a run stores its closure's address before it hands out tickets.
    let body = UnsafePointer<Body>(bitPattern: self.body.load(ordering: .relaxed))
      .unsafelyUnwrapped.pointee
    let tasks = tasks(part, first.load(ordering: .relaxed), count.load(ordering: .relaxed))
    let isBackwards = Self.isBackwards(claimed >> 32)
    var word = claimed
    var done = 0
    repeat {
      let left = Int(word & 0xFFFF_FFFF)
      body(isBackwards ? tasks.lowerBound &+ left &- 1 : tasks.upperBound &- left, worker)
      done &+= 1
      word = ticket.pointee.load(ordering: .acquiring)
    } while Self.claim(ticket, &word)
    return done
  }

  func work(_ worker: Int) {
    var seen: UInt64 = 0
    while !stopping.load(ordering: .relaxed) {
      var idle = 0
      while generation.load(ordering: .acquiring) == seen {
        if stopping.load(ordering: .relaxed) { return }
        idle &+= 1
        if idle > spins {
          sleep(seen)
          idle = 0
        }
      }
      seen = generation.load(ordering: .acquiring)
      drain(worker)
    }
  }

  /// Sleeps until there is a run after the one of this number.
  private func sleep(_ seen: UInt64) {
    gate.lock()
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen,
      !stopping.load(ordering: .sequentiallyConsistent)
    {
      gate.wait()
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    gate.unlock()
  }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    gate.openToAll()
  }
}

/// A mutex and a condition variable at a fixed address.
///
/// SAFETY: both are made for use from any thread; the memory lives as long as the object.
final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
  func wait() { pthread_cond_wait(condition, mutex) }

  func openToAll() {
    lock()
    pthread_cond_broadcast(condition)
    unlock()
  }
}
