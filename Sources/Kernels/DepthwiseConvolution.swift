/// The plan of one depthwise convolution: NHWC tensors, weights [kernel][kernel][channels].
///
/// Pixels are gathered by address as in `Convolution`; the channels of a pixel are walked in
/// memory order. A plan may be used by one thread at a time.
public final class DepthwiseConvolution {
  /// The geometry; input and output have the same channels.
  public let shape: ConvolutionShape

  let pool: ThreadPool
  let forwardPlan: GatherPlan
  let zeros: FloatBuffer
  let outer: DepthwiseOuterPlan
  private let forwardTaps: Table<Int>
  private let phases: [(plan: GatherPlan, taps: Table<Int>)]
  private let scratch: GatherScratch

  /// Plans the convolution. The kernel is 3 or 5.
  public init(_ shape: ConvolutionShape, pool: ThreadPool) {
    shape.check()
    precondition(
      shape.inputChannels == shape.outputChannels,
      "a depthwise convolution has as many outputs as inputs")
    precondition(shape.kernel == 3 || shape.kernel == 5, "depthwise kernels are 3x3 or 5x5")
    self.shape = shape
    self.pool = pool
    forwardPlan = GatherPlan.forward(shape, merged: false)
    forwardTaps = Table(Array(0..<shape.kernel * shape.kernel))
    phases = GatherPlan.backwardPhases(shape).map { ($0.plan, Table($0.taps)) }
    zeros = FloatBuffer(count: shape.inputChannels)
    outer = DepthwiseOuterPlan(shape, threads: pool.threads)
    scratch = GatherScratch([forwardPlan] + phases.map(\.plan), shape: shape)
    pool.workspace.reserve(max(scratch.count * pool.threads, outer.scratchCount))
  }

  /// output [batch][outputHeight][outputWidth][channels] = input * weight, channel by channel.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      gather(
        forwardPlan, taps: forwardTaps, source: input, weight: weight, target: output,
        accumulate: false, memory: memory)
    }
  }

  /// inputGradient = (or += with `accumulate`) the transposed convolution of outputGradient.
  public func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    pool.workspace.use { memory in
      for phase in phases where phase.plan.pixels > 0 {
        gather(
          phase.plan, taps: phase.taps, source: outputGradient, weight: weight,
          target: inputGradient, accumulate: accumulate, memory: memory)
      }
    }
  }

  private func gather(
    _ plan: GatherPlan, taps: Table<Int>, source: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, accumulate: Bool,
    memory: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.inputChannels
    let (scratch, zeros, tapBase) = (scratch, UnsafePointer(zeros.base), taps.base)
    let tapCount = plan.taps
    let smallest = 32_768 / max(1, channels * tapCount)
    let size = max(1, min(GatherPlan.block, max(plan.pixels / 16, smallest)))
    pool.runOnWorkers((plan.pixels + size - 1) / size) { task, worker in
      let places = scratch.places(memory + worker &* scratch.count)
      let first = task &* size
      let count = min(size, plan.pixels &- first)
      plan.fill(
        first: first, count: count, source: source, target: target, zeros: zeros,
        spare: places.spare, overhang: 0, patches: places.patches, table: places.table,
        targets: places.targets)
      // The taps inside the image, with their weights.
      let sources = UnsafeMutableRawPointer(places.spare)
        .assumingMemoryBound(to: RowPointer.self)
      let weights = sources + 25
      for pixel in 0..<count {
        var inside = 0
        for tap in 0..<tapCount {
          let row = places.table[tap &* GatherPlan.block &+ pixel]
          if row == zeros { continue }
          sources[inside] = row
          weights[inside] = weight + tapBase[tap] &* channels
          inside &+= 1
        }
        DepthwisePixel(
          sources: sources, weights: weights, taps: inside, target: places.targets[pixel],
          accumulate: accumulate
        ).coverWide(channels)
      }
    }
  }
}

/// One pixel: a sum over taps of source * weight, channel by channel.
private struct DepthwisePixel: ChannelGroup {
  let sources: UnsafePointer<RowPointer>
  let weights: UnsafePointer<RowPointer>
  let taps: Int
  let target: UnsafeMutablePointer<Float>
  let accumulate: Bool

  /// Four vectors at a time, so that an address is loaded once for all.
  @inline(__always)
  func coverWide(_ channels: Int) {
    var c = 0
    while c &+ 64 <= channels {
      var sums = InlineArray<4, Vector>(repeating: .zero)
      if accumulate { sums = InlineArray<4, Vector> { Vector.load(target + (c &+ 16 &* $0)) } }
      var tap = 0
      while tap < taps {
        let source = sources[tap] + c
        let weight = weights[tap] + c
        for j in 0..<4 {
          sums[j].addProduct(Vector.load(source + 16 &* j), Vector.load(weight + 16 &* j))
        }
        tap &+= 1
      }
      for j in 0..<4 { sums[j].store(target + (c &+ 16 &* j)) }
      c &+= 64
    }
    cover(from: c, to: channels)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = accumulate ? L.load(target + c) : L(splat: 0)
    var tap = 0
    while tap < taps {
      sum = L.fma(
        L.load(sources[tap] + c), L.load(weights[tap] + c), sum)
      tap &+= 1
    }
    sum.store(target + c)
  }
}
