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

  /// Plans the convolution; without `isTrained` its forward pass alone. The kernel is 3 or 5.
  public init(_ shape: ConvolutionShape, pool: ThreadPool, isTrained: Bool = true) {
    shape.check()
    precondition(
      shape.inputChannels == shape.outputChannels,
      "a depthwise convolution has as many outputs as inputs")
    precondition(shape.kernel == 3 || shape.kernel == 5, "depthwise kernels are 3x3 or 5x5")
    self.shape = shape
    self.pool = pool
    forwardPlan = GatherPlan.forward(shape, merged: false)
    forwardTaps = Table(Array(0..<shape.kernel * shape.kernel))
    phases =
      isTrained ? GatherPlan.backwardPhases(shape).map { ($0.plan, Table($0.taps)) } : []
    zeros = FloatBuffer(count: shape.inputChannels)
    outer = DepthwiseOuterPlan(shape, threads: pool.threads)
    scratch = GatherScratch([forwardPlan] + phases.map(\.plan), shape: shape)
    let perWorkers = scratch.count * pool.threads
    pool.workspace.reserve(isTrained ? max(perWorkers, outer.scratchCount) : perWorkers)
  }

  /// output [batch][outputHeight][outputWidth][channels] = input * weight, channel by channel.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      gather(
        forwardPlan, taps: forwardTaps, source: input, weight: weight, target: output,
        finish: PlainSum(accumulate: false), memory: memory)
    }
  }

  /// output = epilogue(input * weight); the epilogue has no residual.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, epilogue: Epilogue,
    output: UnsafeMutablePointer<Float>
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      pool.workspace.use { memory in
        gather(
          forwardPlan, taps: forwardTaps, source: input, weight: weight, target: output,
          finish: ShiftedSum<F>(shift: epilogue.shift), memory: memory)
      }
    }
    switch epilogue.activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
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
          target: inputGradient, finish: PlainSum(accumulate: accumulate), memory: memory)
      }
    }
  }

  private func gather<Finish: SumFinish>(
    _ plan: GatherPlan, taps: Table<Int>, source: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, finish: Finish,
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
          finish: finish
        ).coverWide(channels)
      }
    }
  }
}

/// What becomes of the sum for channel c of a pixel.
private protocol SumFinish {
  func initial<L: Lanes>(_ target: UnsafeMutablePointer<Float>) -> L
  func result<L: Lanes>(_ sum: L, at c: Int) -> L
}

/// The sum itself, or added to what is there.
private struct PlainSum: SumFinish {
  let accumulate: Bool

  @inline(__always)
  func initial<L: Lanes>(_ target: UnsafeMutablePointer<Float>) -> L {
    accumulate ? L.load(target) : L(splat: 0)
  }
  @inline(__always) func result<L: Lanes>(_ sum: L, at c: Int) -> L { sum }
}

/// f(sum + shift).
private struct ShiftedSum<F: PointwiseFunction>: SumFinish {
  let shift: UnsafePointer<Float>

  @inline(__always)
  func initial<L: Lanes>(_ target: UnsafeMutablePointer<Float>) -> L { L(splat: 0) }
  @inline(__always)
  func result<L: Lanes>(_ sum: L, at c: Int) -> L { F.value(sum + L.load(shift + c)) }
}

/// One pixel: a sum over taps of source * weight, channel by channel.
private struct DepthwisePixel<Finish: SumFinish>: ChannelGroup {
  let sources: UnsafePointer<RowPointer>
  let weights: UnsafePointer<RowPointer>
  let taps: Int
  let target: UnsafeMutablePointer<Float>
  let finish: Finish

  /// Four vectors at a time, so that an address is loaded once for all.
  @inline(__always)
  func coverWide(_ channels: Int) {
    var c = 0
    while c &+ 64 <= channels {
      var sums = InlineArray<4, Vector> { finish.initial(target + (c &+ 16 &* $0)) }
      var tap = 0
      while tap < taps {
        let source = sources[tap] + c
        let weight = weights[tap] + c
        for j in 0..<4 {
          sums[j].addProduct(Vector.load(source + 16 &* j), Vector.load(weight + 16 &* j))
        }
        tap &+= 1
      }
      for j in 0..<4 {
        finish.result(sums[j], at: c &+ 16 &* j).store(target + (c &+ 16 &* j))
      }
      c &+= 64
    }
    cover(from: c, to: channels)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum: L = finish.initial(target + c)
    var tap = 0
    while tap < taps {
      sum = L.fma(
        L.load(sources[tap] + c), L.load(weights[tap] + c), sum)
      tap &+= 1
    }
    finish.result(sum, at: c).store(target + c)
  }
}
