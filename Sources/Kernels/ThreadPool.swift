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
  let workspace = Workspace()
  /// The bytes of that memory.
  public var scratchBytes: Int { workspace.bytes }

  private let shared: Shared
  private var handles: [pthread_t] = []

  /// Starts `threads - 1` workers; the caller of `run` is the remaining thread.
  public init(threads: Int) {
    precondition(threads >= 1, "a thread pool needs at least one thread")
    self.threads = threads
    let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    shared = Shared(spins: threads <= cores ? 100_000 : 2_000)
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
  /// Tasks are claimed one by one. A run inside a task, or while another thread is using the pool,
  /// executes on the calling thread alone.
  public func run(_ count: Int, _ body: (Int) -> Void) {
    runOnWorkers(count) { index, _ in body(index) }
  }

  /// Like `run`; the second argument numbers the thread, 0 ..< threads, for its own scratch memory.
  /// Only one run of a pool at a time may rely on it.
  public func runOnWorkers(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    if count <= 1 || threads == 1 || !shared.tryEnter() {
      var index = 0
      while index < count {
        body(index, 0)
        index &+= 1
      }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { shared.run(count, $0) }
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
private final class Shared: Sendable {
  typealias Body = (Int, Int) -> Void

  /// The run's number (high half) and how many of its tasks are unclaimed (low half). A task is
  /// claimed by exchanging the whole word, so that a late worker can never touch another run.
  private let ticket = Atomic<UInt64>(0)
  private let count = Atomic<Int>(0)
  private let body = Atomic<UInt>(0)
  private let completed = Atomic<Int>(0)
  private let busy = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  private let sleepers = Atomic<Int>(0)
  private let spins: Int
  private let gate = Gate()

  init(spins: Int) { self.spins = spins }

  func tryEnter() -> Bool {
    busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
  }

  func leave() { busy.store(false, ordering: .releasing) }

  func run(_ total: Int, _ pointer: UnsafePointer<Body>) {
    count.store(total, ordering: .relaxed)
    body.store(UInt(bitPattern: pointer), ordering: .relaxed)
    completed.store(0, ordering: .relaxed)
    let generation = (ticket.load(ordering: .relaxed) >> 32) &+ 1
    ticket.store(generation << 32 | UInt64(total), ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { gate.openToAll() }
    drain(0)
    var waits = 0
    while completed.load(ordering: .acquiring) < total {
      waits &+= 1
      if waits > 100_000 { sched_yield() }
    }
  }

  /// Claims and runs tasks of the current run until none is left.
  private func drain(_ worker: Int) {
    var word = ticket.load(ordering: .acquiring)
    while word & 0xFFFF_FFFF != 0 {
      let total = count.load(ordering: .relaxed)
      let address = body.load(ordering: .relaxed)
      let claim = ticket.compareExchange(
        expected: word, desired: word &- 1, ordering: .acquiringAndReleasing)
      word = claim.original
      guard claim.exchanged else { continue }
      let index = total &- Int(word & 0xFFFF_FFFF)
      if let task = UnsafePointer<Body>(bitPattern: address) { task.pointee(index, worker) }
      completed.add(1, ordering: .releasing)
      word = ticket.load(ordering: .acquiring)
    }
  }

  func work(_ worker: Int) {
    while !stopping.load(ordering: .relaxed) {
      drain(worker)
      var idle = 0
      while ticket.load(ordering: .relaxed) & 0xFFFF_FFFF == 0 {
        if stopping.load(ordering: .relaxed) { return }
        idle &+= 1
        if idle > spins {
          sleep()
          idle = 0
        }
      }
    }
  }

  private func sleep() {
    gate.lock()
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while ticket.load(ordering: .sequentiallyConsistent) & 0xFFFF_FFFF == 0,
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
