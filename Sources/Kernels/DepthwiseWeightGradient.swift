/// How the gradient of depthwise weights is cut: groups of pixels with their own sums, joined in
/// order, times runs of channels.
struct DepthwiseOuterPlan {
  let groups: Int
  let pixelsPerGroup: Int
  let channelsPerPart: Int
  let parts: Int
  let sumsCount: Int
  let workerCount: Int
  let scratchCount: Int

  init(_ shape: ConvolutionShape, threads: Int) {
    let taps = shape.kernel * shape.kernel
    let channels = shape.inputChannels
    let pixels = shape.batch * shape.outputHeight * shape.outputWidth
    let block = GatherPlan.block
    let blocks = (pixels + block - 1) / block
    let wanted = max(1, min(16, blocks / 2))
    pixelsPerGroup = (blocks + wanted - 1) / wanted * block
    groups = (pixels + pixelsPerGroup - 1) / pixelsPerGroup
    let wantedParts = max(1, min(8 / groups, channels / 128))
    channelsPerPart = (channels / wantedParts + 31) & ~31
    parts = (channels + channelsPerPart - 1) / channelsPerPart
    sumsCount = groups * taps * channels
    workerCount = (2 * block * (taps + 1) + 31) & ~15
    scratchCount = sumsCount + workerCount * threads
  }
}

extension DepthwiseConvolution {
  /// weightGradient += the correlation of the input with outputGradient, channel by channel.
  public func backwardWeight(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    let (gather, plan, channels) = (forwardPlan, outer, shape.inputChannels)
    let isThree = shape.kernel == 3
    let zeros = UnsafePointer(zeros.base)
    pool.workspace.use { sums in
      pool.runOnWorkers(plan.groups * plan.parts) { task, worker in
        let memory = sums + plan.sumsCount + worker &* plan.workerCount
        let table = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: RowPointer.self)
        let targets = UnsafeMutableRawPointer(table + GatherPlan.block &* gather.taps)
          .assumingMemoryBound(to: TargetPointer.self)
        let group = task / plan.parts
        let firstChannel = task % plan.parts &* plan.channelsPerPart
        let lastChannel = min(channels, firstChannel &+ plan.channelsPerPart)
        let start = group &* plan.pixelsPerGroup
        let end = min(gather.pixels, start &+ plan.pixelsPerGroup)
        var pixel = start
        while pixel < end {
          let count = min(GatherPlan.block, end &- pixel)
          gather.fill(
            first: pixel, count: count, source: input, target: memory, zeros: zeros,
            spare: memory, overhang: 0, patches: memory, table: table, targets: targets)
          // A few pixels at a time: all their channels stay in cache, read in memory order.
          var offset = 0
          while offset < count {
            let few = DepthwiseTaps(
              table: table + offset, gradient: outputGradient + (pixel &+ offset) &* channels,
              pixels: min(8, count &- offset), channels: channels,
              sums: sums + group &* gather.taps &* channels,
              accumulate: pixel &+ offset > start)
            if isThree {
              few.coverPairs(from: firstChannel, to: lastChannel)
            } else {
              DepthwiseTaps25(few).cover(from: firstChannel, to: lastChannel)
            }
            offset &+= 8
          }
          pixel &+= count
        }
      }
      let count = gather.taps * channels
      flat(
        count, pool,
        DepthwiseJoin(
          sums: sums, stride: count, groups: plan.groups, target: weightGradient))
    }
  }
}

/// Σ over a few pixels of source * gradient for the nine taps of a 3x3 kernel.
private struct DepthwiseTaps: ChannelGroup {
  let table: UnsafePointer<RowPointer>
  let gradient: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let sums: UnsafeMutablePointer<Float>
  let accumulate: Bool

  /// Two vectors at a time, so that an address is loaded once for both.
  @inline(__always)
  func coverPairs(from start: Int, to end: Int) {
    var c = start
    while c &+ 32 <= end {
      var low = InlineArray<9, Vector>(repeating: .zero)
      var high = InlineArray<9, Vector>(repeating: .zero)
      if accumulate {
        for tap in 0..<9 {
          low[tap] = Vector.load(sums + (tap &* channels &+ c))
          high[tap] = Vector.load(sums + (tap &* channels &+ c &+ 16))
        }
      }
      var pixel = 0
      while pixel < pixels {
        let first = Vector.load(gradient + (pixel &* channels &+ c))
        let second = Vector.load(gradient + (pixel &* channels &+ c &+ 16))
        for tap in 0..<9 {
          let source = table[tap &* GatherPlan.block &+ pixel] + c
          low[tap].addProduct(Vector.load(source), first)
          high[tap].addProduct(Vector.load(source + 16), second)
        }
        pixel &+= 1
      }
      for tap in 0..<9 {
        low[tap].store(sums + (tap &* channels &+ c))
        high[tap].store(sums + (tap &* channels &+ c &+ 16))
      }
      c &+= 32
    }
    cover(from: c, to: end)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) { sumTaps(InlineArray<9, Void>.self, L.self, c) }

  @inline(__always)
  func sumTaps<let taps: Int, L: Lanes>(_: InlineArray<taps, Void>.Type, _: L.Type, _ c: Int) {
    var sum = InlineArray<taps, L>(repeating: L(splat: 0))
    if accumulate {
      for tap in 0..<taps { sum[tap] = L.load(sums + (tap &* channels &+ c)) }
    }
    var pixel = 0
    while pixel < pixels {
      let slope = L.load(gradient + (pixel &* channels &+ c))
      for tap in 0..<taps {
        let source = table[tap &* GatherPlan.block &+ pixel] + c
        sum[tap] = L.fma(L.load(source), slope, sum[tap])
      }
      pixel &+= 1
    }
    for tap in 0..<taps { sum[tap].store(sums + (tap &* channels &+ c)) }
  }
}

/// The same for the 25 taps of a 5x5 kernel.
private struct DepthwiseTaps25: ChannelGroup {
  let few: DepthwiseTaps

  @inline(__always) init(_ few: DepthwiseTaps) { self.few = few }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) { few.sumTaps(InlineArray<25, Void>.self, L.self, c) }
}

private struct DepthwiseJoin: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let stride: Int
  let groups: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    var sum = L.load(target + i)
    var group = 0
    while group < groups {
      sum = sum + L.load(sums + (group &* stride &+ i))
      group &+= 1
    }
    sum.store(target + i)
  }
}
