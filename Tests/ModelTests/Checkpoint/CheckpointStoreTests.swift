import Foundation
import Kernels
import Testing

@testable import Model

/// A network with an optimizer whose tensors all differ, and a state to save with them.
private final class Sample {
  let network: Network
  let optimizer: any Optimizer
  var state: TrainingState

  init() throws {
    network = try TinyTraining.network()
    let settings = try TinyTraining().hyperparameters
    optimizer = settings.optimizer.make(
      for: UpdateTarget(
        network.parameters, UpdateGroup.all(of: network.parameters.table, .none)))
    state = TrainingState(
      model: "tiny", classNames: ["a", "b"], dataName: "digits", dataFingerprint: "f",
      parameters: settings.values)
    stir(1)
  }

  /// Gives every number another value.
  func stir(_ seed: UInt64) {
    var random = CounterRandom(seed: seed, stream: .diagnostics)
    let store = network.parameters
    for info in store.table.entries {
      switch info.storage {
      case .weights:
        for index in info.range {
          store.weights[index] = Float(random.uniform(-1, 1))
          optimizer.slots[0].values[index] = Float(random.uniform(-1, 1))
        }
      case .buffers:
        for index in info.range { store.buffers[index] = Float(random.uniform()) }
      case .counters: store.counters[info.offset] = Int64(random.integer(below: 1000))
      }
    }
  }

  var momentum: [Float] {
    Array(
      UnsafeBufferPointer(
        start: optimizer.slots[0].values, count: network.parameters.table.weightExtent))
  }

  @discardableResult
  func save(
    _ store: CheckpointStore, epoch: Int, epochStep: Int = 0, isBest: Bool = false, keep: Int = 3
  ) throws -> CheckpointReport {
    state.completedEpochs = epoch
    state.epochStep = epochStep
    state.step = epoch * 10 + epochStep
    if isBest { state.best = BestEpoch(epoch: epoch, metric: .top1, value: Double(epoch)) }
    return try store.save(
      state, network: network, optimizer: optimizer, isBest: isBest, keep: keep)
  }
}

private func flipBit(_ url: URL) throws {
  var data = try Data(contentsOf: url)
  data[data.count / 2] ^= 4
  try data.write(to: url)
}

struct CheckpointStoreTests {
  @Test func everythingComesBack() throws {
    let folder = try TemporaryFolder()
    let sample = try Sample()
    sample.state.epochLoss.add(0.1, count: 3)
    sample.state.epochLoss.add(1.0 / 3, count: 7)
    sample.state.seconds = 12.25
    sample.state.lastEvaluation = Evaluation(
      loss: 0.3, top1: 100.0 / 3, top5: 90, count: 20, seconds: 0.5)
    let report = try sample.save(folder.checkpoints, epoch: 2, epochStep: 4)
    #expect(report == CheckpointReport(epoch: 2, step: 24, name: "last.safetensors"))
    let digest = sample.network.weightDigest
    let momentum = sample.momentum

    let other = try Sample()
    other.stir(2)
    #expect(other.network.weightDigest != digest)
    let checkpoint = try folder.checkpoints.load(.last)
    #expect(checkpoint.state == sample.state)
    try checkpoint.restore(into: other.network, other.optimizer)
    #expect(other.network.weightDigest == digest)
    #expect(other.momentum == momentum)
  }

  @Test func lastBestAndHistoryAreKept() throws {
    let folder = try TemporaryFolder()
    let store = folder.checkpoints
    let sample = try Sample()
    for epoch in 0...6 { try sample.save(store, epoch: epoch, isBest: epoch == 2) }
    #expect(store.epochs == [6, 5, 4])
    #expect(try store.load(.last).state.completedEpochs == 6)
    #expect(try store.load(.best).state.completedEpochs == 2)
    #expect(try store.load(.epoch(5)).state.completedEpochs == 5)
    #expect(try store.load(.epoch(2)).state.completedEpochs == 2)
    #expect(
      throws: CheckpointError.noSuchEpoch(folder: store.folder.path, epoch: 3, present: [4, 5, 6])
    ) { try store.load(.epoch(3)) }

    try sample.save(store, epoch: 6, epochStep: 3)
    let list = store.list()
    #expect(list.map(\.step) == [63, 60, 50, 40, 20])
    #expect(list.map(\.isLast) == [true, false, false, false, false])
    #expect(list.map(\.isBest) == [false, false, false, false, true])
    #expect(list[0].epochStep == 3)
    #expect(try store.prune(keep: 1) == [5, 4])
    #expect(store.list().map(\.step) == [63, 60, 20])
    let names = try FileManager.default.contentsOfDirectory(atPath: store.folder.path)
    #expect(!names.contains { $0.hasSuffix(".tmp") })
  }

  @Test func aDamagedFileIsPassedOver() throws {
    let folder = try TemporaryFolder()
    let store = folder.checkpoints
    let sample = try Sample()
    for epoch in 0...2 { try sample.save(store, epoch: epoch) }
    // The last checkpoint is another name of epoch 2, so that this damages both.
    let last = store.folder.appending(path: "last.safetensors")
    try flipBit(last)
    let (checkpoint, passedOver) = try store.latest()
    #expect(checkpoint.state.completedEpochs == 1)
    #expect(passedOver.count == 2)
    #expect(passedOver.first == .damaged(file: last.path))

    for name in ["epoch-0001.safetensors", "epoch-0000.safetensors"] {
      try flipBit(store.folder.appending(path: name))
    }
    #expect(throws: CheckpointError.damaged(file: last.path)) { try store.latest() }
    #expect(throws: CheckpointError.noneUsable(folder: folder.url.path)) {
      try CheckpointStore(folder: folder.url).latest()
    }
    #expect(throws: CheckpointError.noBest(folder: store.folder.path)) { try store.load(.best) }
  }

  @Test func goingBackRemovesWhatCameLater() throws {
    let folder = try TemporaryFolder()
    let store = folder.checkpoints
    let sample = try Sample()
    for epoch in 0...4 {
      try sample.save(store, epoch: epoch, isBest: epoch == 2 || epoch == 4, keep: 9)
    }
    try store.rewind(to: store.load(.epoch(3)))
    #expect(store.epochs == [3, 2, 1, 0])
    #expect(try store.load(.last).state.completedEpochs == 3)
    #expect(try store.load(.best).state.completedEpochs == 2)
  }

  @Test func anotherNetworkIsRefusedUntouched() throws {
    let folder = try TemporaryFolder()
    let sample = try Sample()
    try sample.save(folder.checkpoints, epoch: 1)
    let other = try TinyTraining.network(classes: 4)
    let digest = other.weightDigest
    let error = #expect(throws: CheckpointError.self) {
      try folder.checkpoints.load(.last).restore(into: other)
    }
    guard case .wrongShape(_, "classifier.weight", [10, 32], [4, 32]) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(other.weightDigest == digest)
  }
}
