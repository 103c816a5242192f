import Foundation
import Kernels
import Testing

@testable import Model

/// What a training step promises besides its numbers: bits, memory, refusals.
@Suite(.serialized)
struct NetworkStepTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let model: String
    let batch: Int
    let size: Int
    let dropRate: Double
    var dropPath = 0.0
    var pooling = GlobalPooling.average
    var variant: Variant {
      get throws {
        let named = try Variant.named(model)
        return try pooling.ifNotMean.map(named.pooled) ?? named
      }
    }
    var testDescription: String { "\(model), \(batch) images of \(size) px, \(pooling)" }
  }

  @Test(
    "the same bits with 1, 2 and 4 threads",
    arguments: [
      Case(model: "tf_efficientnetv2_b0", batch: 5, size: 33, dropRate: 0.3),
      Case(model: "efficientnetv2_rw_t", batch: 3, size: 31, dropRate: 0),
      Case(model: "efficientnet_b0", batch: 5, size: 33, dropRate: 0.3, dropPath: 0.3),
      Case(model: "vit_tiny_patch16_224", batch: 3, size: 48, dropRate: 0.3, dropPath: 0.3),
      Case(model: "efficientnet_b0", batch: 18, size: 33, dropRate: 0, pooling: .maximum),
      Case(model: "efficientnet_b0", batch: 5, size: 65, dropRate: 0.3, pooling: .averageMaximum),
      Case(model: "efficientnet_b0", batch: 5, size: 33, dropRate: 0.3, pooling: .concatenated),
    ])
  func bits(_ test: Case) throws {
    let hashes = try [1, 2, 4].map { threads in
      let step = try SmallStep(test, threads: threads)
      var hash = BitHash()
      for index in 0..<2 {
        step.run(StepKey(seed: 7, epoch: 1, step: index))
        hash.add(step.graph.logits, test.batch * step.classes)
        hash.add(step.store.gradients, step.store.table.weightExtent)
        hash.add(step.store.buffers, step.store.table.bufferExtent)
        step.descend()
      }
      hash.add(step.store.weights, step.store.table.weightExtent)
      let folded = try FoldedNetwork(
        step.graph.network, maxBatch: test.batch, inputSize: test.size, pool: step.pool)
      folded.input.update(from: step.graph.input, count: test.batch * test.size * test.size * 3)
      hash.add(folded.run(batch: test.batch), test.batch * step.classes)
      hash.add(folded.run(batch: 2), 2 * step.classes)
      return hash.value
    }
    #expect(hashes[1] == hashes[0])
    #expect(hashes[2] == hashes[0])
  }

  @Test(
    "maps that are computed again give the same bits from less memory",
    arguments: [
      Case(model: "tf_efficientnetv2_b0", batch: 5, size: 33, dropRate: 0.3),
      Case(model: "efficientnetv2_rw_t", batch: 2, size: 40, dropRate: 0),
      Case(model: "efficientnet_b0", batch: 2, size: 40, dropRate: 0, dropPath: 0.3),
      Case(model: "gc_efficientnetv2_rw_t", batch: 2, size: 40, dropRate: 0),
      Case(model: "vit_tiny_patch16_224", batch: 3, size: 48, dropRate: 0.3, dropPath: 0.3),
    ])
  func checkpointing(_ test: Case) throws {
    let steps = try [false, true].map { try SmallStep(test, threads: 2, isCheckpointing: $0) }
    let hashes = steps.map { step in
      var hash = BitHash()
      for index in 0..<2 {
        step.run(StepKey(seed: 7, epoch: 1, step: index))
        hash.add(step.graph.logits, test.batch * step.classes)
        hash.add(step.store.gradients, step.store.table.weightExtent)
        hash.add(step.store.buffers, step.store.table.bufferExtent)
        step.descend()
      }
      return hash.value
    }
    #expect(hashes[1] == hashes[0])
    for counter in 0..<steps[0].store.table.counterCount {
      #expect(steps[1].store.counters[counter] == steps[0].store.counters[counter])
    }
    #expect(steps[1].graph.workspaceBytes < steps[0].graph.workspaceBytes * 2 / 3)
  }

  @Test("a step allocates nothing that lasts")
  func allocations() async {
    // In processes of their own, because other tests allocate at the same time.
    await #expect(processExitsWith: .success) {
      try Self.checkAllocations(
        Case(model: "tf_efficientnetv2_b0", batch: 3, size: 33, dropRate: 0.2))
    }
    await #expect(processExitsWith: .success) {
      try Self.checkAllocations(
        Case(
          model: "vit_tiny_patch16_224", batch: 3, size: 48, dropRate: 0.2, dropPath: 0.2))
    }
    await #expect(processExitsWith: .success) {
      try Self.checkAllocations(
        Case(
          model: "tf_efficientnetv2_b0", batch: 3, size: 33, dropRate: 0.2,
          pooling: .concatenated))
    }
    await #expect(processExitsWith: .success) {
      try Self.checkAllocations(
        Case(model: "gc_efficientnetv2_rw_t", batch: 3, size: 33, dropRate: 0.2))
    }
  }

  /// Exits the process, with 0 where all went well.
  private static func checkAllocations(_ test: Case) throws {
    let step = try SmallStep(test, threads: 2)
    let folded = try FoldedNetwork(
      step.graph.network, maxBatch: 3, inputSize: test.size, pool: step.pool)
    func work(_ index: Int) {
      step.run(StepKey(step: index))
      step.descend()
      folded.refresh()
      _ = folded.run(batch: 3)
      _ = folded.run(batch: 2)
    }
    work(0)
    work(1)
    let heap = try HeapReport()
    _ = heap.allocatedBytes()
    let before = heap.allocatedBytes()
    for index in 2..<5 { work(index) }
    let after = heap.allocatedBytes()
    // A closure's context may pass through the allocator's caches; a tensor would be far larger.
    exit(before > 1_000_000 && abs(after - before) < 2048 ? 0 : 1)
  }

  @Test("two forwards of the same step agree, backward leaves the input alone")
  func repeatable() throws {
    let step = try SmallStep(
      Case(model: "tf_efficientnetv2_b0", batch: 2, size: 33, dropRate: 0.5), threads: 2)
    func logits(_ key: StepKey) -> [Float] {
      step.run(key)
      return Array(UnsafeBufferPointer(start: step.graph.logits, count: 2 * step.classes))
    }
    var inputHash = BitHash()
    inputHash.add(step.graph.input, 2 * 33 * 33 * 3)
    let first = logits(StepKey(seed: 1, epoch: 2, step: 3))
    #expect(logits(StepKey(seed: 1, epoch: 2, step: 3)) == first)
    for key in [
      StepKey(seed: 2, epoch: 2, step: 3), StepKey(seed: 1, epoch: 0, step: 3),
      StepKey(seed: 1, epoch: 2, step: 4),
    ] {
      #expect(logits(key) != first)
    }
    var again = BitHash()
    again.add(step.graph.input, 2 * 33 * 33 * 3)
    #expect(again.value == inputHash.value)
  }

  @Test("with dropout the gradient is still the loss's slope")
  func dropoutGradient() throws {
    let step = try SmallStep(
      Case(model: "tf_efficientnetv2_b0", batch: 4, size: 33, dropRate: 0.4), threads: 2)
    let key = StepKey(seed: 5, epoch: 0, step: 1)
    step.run(key)
    try expectSlopes(
      of: ["classifier.weight", "conv_head.weight", "blocks.5.0.conv_pwl.weight"], step, key)
    // A feature that is dropped in every image gets no gradient at all.
    let info = try #require(step.store.table["classifier.weight"])
    step.run(key)
    let gradient = step.store.gradient(info)
    let silent = (0..<info.shape[0]).filter { row in
      gradient[(row * step.classes)..<((row + 1) * step.classes)].allSatisfy { $0 == 0 }
    }
    let expected = Double(info.shape[0]) * 0.4 * 0.4 * 0.4 * 0.4
    #expect(abs(Double(silent.count) - expected) < 5 * expected.squareRoot())
  }

  @Test(
    "with drop path the gradient is still the loss's slope",
    arguments: [
      (
        Case(model: "tf_efficientnet_b1", batch: 6, size: 40, dropRate: 0, dropPath: 0.6),
        ["blocks.5.2.conv_pwl.weight", "blocks.3.1.conv_dw.weight", "conv_stem.weight"]
      ),
      (
        Case(model: "vit_tiny_patch16_224", batch: 4, size: 48, dropRate: 0, dropPath: 0.6),
        ["blocks.11.mlp.fc2.weight", "blocks.8.attn.qkv.weight", "patch_embed.proj.weight"]
      ),
    ])
  func dropPathGradient(_ test: Case, paths: [String]) throws {
    let step = try SmallStep(test, threads: 2)
    let key = StepKey(seed: 5, epoch: 0, step: 1)
    try expectSlopes(of: paths, step, key)
    let whole = try SmallStep(
      Case(model: test.model, batch: test.batch, size: test.size, dropRate: 0), threads: 2)
    #expect(whole.run(key) != step.run(key))
  }

  /// The gradients of some tensors against differences of the loss along them.
  private func expectSlopes(of paths: [String], _ step: SmallStep, _ key: StepKey) throws {
    for path in paths {
      let info = try #require(step.store.table[path])
      step.run(key)
      let gradient = step.store.gradient(info)
      let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let weights = step.store.weights + info.offset
      let original = step.store.values(info)
      func loss(_ distance: Double) -> Double {
        for index in 0..<info.count {
          weights[index] =
            original[index] + Float(distance * Double(gradient[index]) / norm)
        }
        return step.run(key)
      }
      let distance = 2e-3 / max(norm, 1e-3)
      let slope = (loss(distance) - loss(-distance)) / (2 * distance)
      weights.update(from: original, count: info.count)
      #expect(abs(slope / norm - 1) < 0.02, "\(path): slope \(slope), gradient \(norm)")
    }
  }

  @Test("impossible sizes are refused before anything is allocated")
  func refusals() throws {
    let pool = ThreadPool(threads: 1)
    let network = Network(
      uninitialized: try Blueprint(Variant.named("tf_efficientnetv2_b0"), classCount: 10))
    #expect(throws: ArchitectureError.batchSize(0)) {
      try TrainingGraph(network, batch: 0, inputSize: 32, pool: pool)
    }
    #expect(throws: ArchitectureError.inputSize(0, smallest: 1)) {
      try TrainingGraph(network, batch: 2, inputSize: 0, pool: pool)
    }
    #expect(throws: ArchitectureError.singleValuePerChannel(inputSize: 32)) {
      try TrainingGraph(network, batch: 1, inputSize: 32, pool: pool)
    }
    _ = try TrainingGraph(network, batch: 2, inputSize: 1, pool: pool)
    #expect(throws: ArchitectureError.workspaceTooLarge(batch: 1 << 18, inputSize: 224)) {
      try TrainingGraph(network, batch: 1 << 18, inputSize: 224, pool: pool)
    }
    let transformer = Network(
      uninitialized: try Blueprint(Variant.named("vit_tiny_patch16_224"), classCount: 10))
    #expect(throws: ArchitectureError.patchedInputSize(40, patch: 16)) {
      try TrainingGraph(transformer, batch: 2, inputSize: 40, pool: pool)
    }
    #expect(throws: ArchitectureError.patchedInputSize(15, patch: 16)) {
      try FoldedNetwork(transformer, maxBatch: 2, inputSize: 15, pool: pool)
    }
    #expect(throws: ArchitectureError.batchSize(-1)) {
      try FoldedNetwork(network, maxBatch: -1, inputSize: 32, pool: pool)
    }
    // No machine has a pebibyte of memory.
    #expect {
      try checkMemory(1 << 50, batch: 7, inputSize: 224)
    } throws: { error in
      guard case .memory(1 << 50, let available, 7, 224)? = error as? ArchitectureError else {
        return false
      }
      return available > 0
    }
    try checkMemory(1 << 20, batch: 7, inputSize: 224)
  }

  @Test("one image trains where its maps have more than one pixel")
  func singleImage() throws {
    let step = try SmallStep(
      Case(model: "efficientnetv2_rw_t", batch: 1, size: 64, dropRate: 0), threads: 1)
    #expect(step.run(StepKey()).isFinite)
  }
}

/// A step on formula weights and images, for any model.
final class SmallStep {
  let graph: TrainingGraph
  let pool: ThreadPool
  let classes = 10
  private let labels: [Int32]
  private var losses: [Float]

  init(_ test: NetworkStepTests.Case, threads: Int, isCheckpointing: Bool = false) throws {
    let network = Network(try Blueprint(test.variant, classCount: 10), seed: 3)
    pool = ThreadPool(threads: threads)
    graph = try TrainingGraph(
      network, batch: test.batch, inputSize: test.size, isCheckpointing: isCheckpointing,
      dropPathRate: test.dropPath, pool: pool)
    graph.dropRate = test.dropRate
    labels = (0..<test.batch).map { Int32($0 % 10) }
    losses = Array(repeating: 0, count: test.batch)
    let numbers = FormulaNumbers(key: "input")
    for index in 0..<(test.batch * test.size * test.size * 3) {
      graph.input[index] = Float(numbers.uniform(index) * 1.7)
    }
  }

  var store: ParameterStore { graph.network.parameters }

  /// Forward and backward; returns the mean loss.
  @discardableResult
  func run(_ key: StepKey, finished: (_ start: Int) -> Void = { _ in }) -> Double {
    graph.forward(key)
    softmaxCrossEntropy(
      logits: graph.logits, labels: labels, n: graph.batch, classes: classes, smoothing: 0.1,
      logitGradient: graph.logitGradient, losses: &losses, pool: pool)
    graph.backward(finished: finished)
    return losses.reduce(0) { $0 + Double($1) } / Double(losses.count)
  }

  /// A step of plain gradient descent.
  func descend() {
    for index in 0..<store.table.weightExtent {
      store.weights[index] -= 0.01 * store.gradients[index]
    }
  }
}

/// What glibc's allocator has given out, from its own report in XML.
struct HeapReport {
  private let file: UnsafeMutablePointer<FILE>
  private let report: @convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32

  init() throws {
    let file = try #require(tmpfile())
    let symbol = try #require(dlsym(nil, "malloc_info"))
    self.file = file
    report = unsafeBitCast(
      symbol, to: (@convention(c) (Int32, UnsafeMutablePointer<FILE>) -> Int32).self)
  }

  /// The bytes of all chunks in use, and of those mapped on their own.
  func allocatedBytes() -> Int {
    rewind(file)
    _ = report(0, file)
    fflush(file)
    let length = ftell(file)
    rewind(file)
    var bytes = [UInt8](repeating: 0, count: length)
    fread(&bytes, 1, length, file)
    let text = String(decoding: bytes, as: UTF8.self)
    // The totals of all arenas stand behind the last of them.
    let totals = text.components(separatedBy: "</heap>").last ?? ""
    func size(_ mark: String) -> Int {
      guard let start = totals.range(of: mark),
        let value = totals[start.upperBound...].range(of: "size=\"")
      else { return 0 }
      return Int(totals[value.upperBound...].prefix { $0.isNumber }) ?? 0
    }
    return size("<system type=\"current\"") + size("<total type=\"mmap\"")
      - size("<total type=\"fast\"") - size("<total type=\"rest\"")
  }
}

/// FNV-1a over the bits of floats.
struct BitHash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ numbers: UnsafePointer<Float>, _ count: Int) {
    for index in 0..<count {
      value = (value ^ UInt64(numbers[index].bitPattern)) &* 0x100_0000_01B3
    }
  }
}
