import Foundation
import Kernels
import Testing

@testable import Model

/// The trainer against a plain re-computation of everything that is not the network itself: the order
/// of the images, their normalisation, the loss and its gradient, the schedule, the decay groups and
/// the optimizer.
struct NaiveTrainingTests {
  private struct Naive {
    let network: Network
    var velocity: [Double]
    let graph: TrainingGraph

    init(batch: Int) throws {
      network = try TinyTraining.network()
      velocity = [Double](repeating: 0, count: network.parameters.table.weightExtent)
      graph = try TrainingGraph(
        network, batch: batch, inputSize: 16, pool: ThreadPool(threads: 1))
    }

    /// Cross entropy with smoothed labels, its mean over the batch; the gradient goes to the graph.
    func loss(_ labels: [Int], smoothing: Double) -> Double {
      let classes = 10
      var total = 0.0
      for (row, label) in labels.enumerated() {
        let logits = (0..<classes).map { Double(graph.logits[row * classes + $0]) }
        let sum = logits.map { exp($0) }.reduce(0, +)
        for (k, logit) in logits.enumerated() {
          let target = (k == label ? 1 - smoothing : 0) + smoothing / Double(classes)
          let probability = exp(logit) / sum
          total -= target * log(probability)
          graph.logitGradient[row * classes + k] = Float(
            (probability - target) / Double(labels.count))
        }
      }
      return total / Double(labels.count)
    }

    /// Nesterov's step, parameter by parameter.
    mutating func update(rate: Double, momentum: Double, decay: Double) {
      let store = network.parameters
      for info in store.table.entries where info.storage == .weights {
        let isSpared = info.shape.count == 1 || info.path.hasSuffix(".bias")
        for index in info.range {
          let weight = Double(store.weights[index])
          let gradient = Double(store.gradients[index]) + (isSpared ? 0 : decay * weight)
          velocity[index] = momentum * velocity[index] + gradient
          store.weights[index] = Float(weight - rate * (gradient + momentum * velocity[index]))
        }
      }
    }
  }

  @Test func theTrainerDoesWhatThePlainLoopDoes() throws {
    var tiny = TinyTraining()
    tiny.settings["no-aug"] = .flag(true)
    tiny.settings["drop"] = .number(0)
    tiny.settings["weight-decay"] = .number(0.01)
    let settings = try tiny.hyperparameters
    let folder = try TemporaryFolder()
    let listener = Listener()
    let trainer = try tiny.trainer(in: folder)
    _ = try listener.run(trainer)

    var naive = try Naive(batch: 8)
    let data = TinyTraining.data()
    let rates = [1e-4, 1e-6 + 0.5 * (0.05 - 1e-6) * (1 + cos(Double.pi / 2))]
    var losses: [Double] = []
    let transform = settings.trainTransform(settings.progression.stages[0])
    for epoch in 0..<2 {
      let order = BatchLoader.order(count: 32, seed: settings.seed, epoch: epoch)
      for step in 0..<4 {
        let chosen = order[(step * 8)..<(step * 8 + 8)].map { Int($0) }
        for (row, index) in chosen.enumerated() {
          let image = transform(try data.train.image(index))
          for (place, byte) in image.pixels.enumerated() {
            let channel = place % 3
            let mean = Preprocessing.imageNetMean[channel]
            let deviation = Preprocessing.imageNetDeviation[channel]
            naive.graph.input[row * image.pixels.count + place] = Float(
              (Double(byte) / 255 - mean) / deviation)
          }
        }
        naive.graph.forward()
        losses.append(naive.loss(chosen.map { data.train.label($0) }, smoothing: 0.1))
        naive.graph.backward()
        naive.update(rate: rates[epoch], momentum: 0.9, decay: 0.01)
      }
    }
    #expect(listener.losses.count == losses.count)
    for (found, expected) in zip(listener.losses, losses) {
      #expect(abs(found - expected) <= 2e-4 * expected, "\(listener.losses) \(losses)")
    }
    let store = naive.network.parameters
    let trained = trainer.network.parameters
    for index in 0..<store.table.weightExtent {
      let difference = abs(store.weights[index] - trained.weights[index])
      #expect(difference <= 1e-3 + 1e-3 * abs(store.weights[index]))
    }
  }

  /// A naive pass over the test set gives what the evaluator gives.
  @Test func evaluationIsTheMeanOverTheTestSet() throws {
    let network = try TinyTraining.network()
    let settings = try TinyTraining().hyperparameters
    let data = TinyTraining.data(test: 70)
    let pool = ThreadPool(threads: 2)
    let evaluator = try Evaluator(
      network, transform: settings.evalTransform, workers: 2, pool: pool)
    var calls: [Int] = []
    let result = try #require(
      try evaluator.run(data.test) { done, total in
        calls.append(done)
        return total == 70
      })
    #expect(calls.last == 70 && result.count == 70)

    let folded = try FoldedNetwork(network, maxBatch: 1, inputSize: 16, pool: pool)
    var loss = 0.0
    var hits = (one: 0, five: 0)
    for index in 0..<70 {
      let image = settings.evalTransform(try data.test.image(index))
      settings.evalTransform.normalization.apply(
        image.pixels, pixelCount: 256, into: folded.input)
      let logits = folded.run(batch: 1)
      let values = (0..<10).map { Double(logits[$0]) }
      let label = data.test.label(index)
      loss += log(values.map { exp($0) }.reduce(0, +)) - values[label]
      let rank = values.count { $0 > values[label] }
      if rank == 0 { hits.one += 1 }
      if rank < 5 { hits.five += 1 }
    }
    #expect(abs(result.loss - loss / 70) < 1e-5)
    #expect(result.top1 == 100 * Double(hits.one) / 70)
    #expect(result.top5 == 100 * Double(hits.five) / 70)

    let stopped = try evaluator.run(data.test) { _, _ in false }
    #expect(stopped == nil)
    #expect(try evaluator.run(data.test)?.loss == result.loss)
  }

  #if arch(x86_64)
    /// The heap does not grow from step to step.
    @Test func stepsAllocateNothingLasting() throws {
      var tiny = TinyTraining()
      tiny.settings["batch-size"] = .integer(1)
      tiny.settings["epochs"] = .integer(1)
      tiny.settings["no-aug"] = .flag(true)
      let folder = try TemporaryFolder()
      let heap = try #require(Heap())
      var growth: [Int] = []
      growth.reserveCapacity(64)
      var last = 0
      _ = try tiny.trainer(in: folder).run { event in
        guard case .step = event else { return }
        let bytes = heap.bytesInUse
        growth.append(bytes - last)
        last = bytes
      }
      // Other tests allocate at the same time; a leak in every step would show in every difference.
      #expect(growth.count == 32)
      #expect((growth.dropFirst(4).min() ?? .max) <= 0, "\(growth)")
    }

    /// glibc's own account of the heap, which its Swift module leaves out.
    private struct Heap {
      // On x86-64 a large struct is returned through a pointer in the first argument.
      private typealias Mallinfo2 = @convention(c) (UnsafeMutablePointer<Int>) -> Void
      private let mallinfo2: Mallinfo2

      init?() {
        guard let symbol = dlsym(nil, "mallinfo2") else { return nil }
        mallinfo2 = unsafeBitCast(symbol, to: Mallinfo2.self)
      }

      /// Bytes that are allocated and not freed: the field `uordblks` and, of mapped blocks, `hblkhd`.
      var bytesInUse: Int {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 10) { fields in
          guard let base = fields.baseAddress else { return 0 }
          mallinfo2(base)
          return fields[7] + fields[4]
        }
      }
    }
  #endif
}
