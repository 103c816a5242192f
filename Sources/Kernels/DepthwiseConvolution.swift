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
  let forwardTaps: Table<Int>
  private let scratch: GatherScratch
  /// The passes of training; nil for inference.
  let slabs: DepthwiseSlabs?

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
    zeros = FloatBuffer(count: shape.inputChannels)
    slabs = isTrained ? DepthwiseSlabs(shape) : nil
    scratch = GatherScratch([forwardPlan], shape: shape)
    pool.workspace.reserve(
      shared: slabs?.sumsCount ?? 0, own: max(scratch.count, slabs?.workerCount ?? 0))
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

  private func gather<Finish: SumFinish>(
    _ plan: GatherPlan, taps: Table<Int>, source: UnsafePointer<Float>,
    weight: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, finish: Finish,
    memory: WorkMemory
  ) {
    let channels = shape.inputChannels
    let (scratch, zeros) = (scratch, UnsafePointer(zeros.base))
    let smallest = 32_768 / max(1, channels * plan.taps)
    let size = max(1, min(GatherPlan.block, max(plan.pixels / 16, smallest)))
    pool.runOnWorkers((plan.pixels + size - 1) / size) { task, worker in
      let first = task &* size
      DepthwiseGather(
        plan: plan, taps: taps, weight: weight, weightPitch: channels, channels: channels,
        zeros: zeros, places: scratch.places(memory.own(worker))
      ).run(
        first: first, count: min(size, plan.pixels &- first), source: source, target: target,
        finish: finish)
    }
  }
}

/// Sums over the taps of some pixels, channel by channel.
struct DepthwiseGather {
  let plan: GatherPlan
  /// The kernel tap that each tap of the plan is.
  let taps: Table<Int>
  /// The weights of the first channel; the next tap's are `weightPitch` floats further.
  let weight: UnsafePointer<Float>
  let weightPitch: Int
  let channels: Int
  let zeros: UnsafePointer<Float>
  let places: GatherScratch.Places

  /// Computes at most a block of pixels.
  @inline(__always)
  func run<Finish: SumFinish>(
    first: Int, count: Int, source: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>,
    finish: Finish
  ) {
    plan.fill(
      first: first, count: count, source: source, target: target, zeros: zeros,
      spare: places.spare, overhang: 0, patches: places.patches, table: places.table,
      targets: places.targets)
    // The taps inside the image, with their weights.
    let sources = UnsafeMutableRawPointer(places.spare).assumingMemoryBound(to: RowPointer.self)
    let weights = sources + 25
    for pixel in 0..<count {
      var inside = 0
      for tap in 0..<plan.taps {
        let row = places.table[tap &* GatherPlan.block &+ pixel]
        if row == zeros { continue }
        sources[inside] = row
        weights[inside] = weight + taps.base[tap] &* weightPitch
        inside &+= 1
      }
      DepthwisePixel(
        sources: sources, weights: weights, taps: inside, target: places.targets[pixel],
        finish: finish
      ).coverWide(channels)
    }
  }
}

/// What becomes of the sum for channel c of a pixel.
protocol SumFinish {
  func result<L: Lanes>(_ sum: L, at c: Int) -> L
}

/// The sum itself.
struct PlainSum: SumFinish {
  @inline(__always) func result<L: Lanes>(_ sum: L, at c: Int) -> L { sum }
}

/// f(sum + shift).
private struct ShiftedSum<F: PointwiseFunction>: SumFinish {
  let shift: UnsafePointer<Float>

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
      var sums = InlineArray<4, Vector>(repeating: .zero)
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
    coverNarrow(from: c, to: channels)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L(splat: 0)
    var tap = 0
    while tap < taps {
      sum = L.fma(
        L.load(sources[tap] + c), L.load(weights[tap] + c), sum)
      tap &+= 1
    }
    finish.result(sum, at: c).store(target + c)
  }
}
