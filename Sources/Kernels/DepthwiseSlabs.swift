/// How a depthwise convolution is cut in training: parts of the images times slabs of channels.
///
/// A slab of a few images fits a core's cache, so that between norms nothing goes through memory:
/// the normalised input is computed into it, convolved, and in backward turned into the gradients
/// of both.
struct DepthwiseSlabs {
  /// Floats of a slab: four of them share a cache of a megabyte.
  private static let size = 49_152

  /// Channels of a slab and how many slabs there are.
  let width: Int
  let count: Int
  /// Images that are in a slab together.
  let images: Int
  /// Images of a part, whose sums are kept apart, and how many parts there are.
  let imagesPerPart: Int
  let parts: Int

  let inputPixels: Int
  let outputPixels: Int
  private let batch: Int
  /// From an input slab to the whole output, and from slab to slab.
  let forward: GatherPlan
  let backward: [(plan: GatherPlan, taps: Table<Int>)]
  let gather: GatherScratch
  let taps: Int
  private let slabFloats: Int
  private let workerCount: Int
  /// The parts' sums of weight gradients.
  let sumsCount: Int
  let scratchCount: Int

  init(_ shape: ConvolutionShape, threads: Int) {
    batch = shape.batch
    taps = shape.kernel * shape.kernel
    inputPixels = shape.inputHeight * shape.inputWidth
    outputPixels = shape.outputHeight * shape.outputWidth
    let channels = shape.inputChannels
    images = max(1, min(batch, 64 / inputPixels))
    let fitting = Self.size / (images * inputPixels)
    let widest = max(16, fitting >= 64 ? fitting & ~63 : fitting & ~15)
    count = (channels + widest - 1) / widest
    width = ((channels + count - 1) / count + 15) & ~15
    let groups = (batch + images - 1) / images
    imagesPerPart = (groups + 15) / 16 * images
    parts = (batch + imagesPerPart - 1) / imagesPerPart

    var slab = shape
    slab.batch = images
    slab.inputChannels = width
    forward = .forward(slab, merged: false)
    slab.outputChannels = width
    backward = GatherPlan.backwardPhases(slab).map { ($0.plan, Table($0.taps)) }
    gather = GatherScratch([forward] + backward.map(\.plan), shape: slab)
    slabFloats = images * max(inputPixels, outputPixels) * width
    workerCount = gather.count + 4 * slabFloats
    sumsCount = parts * count * taps * width
    scratchCount = sumsCount + workerCount * threads
  }

  /// A task: a part of the images, a slab of the channels, and a worker's memory for it.
  struct Task {
    let part: Int
    let slab: Int
    /// The images of the part.
    let images: Range<Int>
    /// The channels of the slab.
    let channels: Range<Int>
    let places: GatherScratch.Places
    /// Four slabs.
    let slabs: InlineArray<4, UnsafeMutablePointer<Float>>
  }

  func task(_ index: Int, channels: Int, worker: Int, memory: UnsafeMutablePointer<Float>) -> Task {
    let (part, slab) = (index / count, index % count)
    let own = memory + sumsCount + worker &* workerCount
    let slabFloats = slabFloats
    let first = part &* imagesPerPart
    return Task(
      part: part, slab: slab, images: first..<min(batch, first &+ imagesPerPart),
      channels: slab &* width..<min(channels, (slab &+ 1) &* width),
      places: gather.places(own),
      slabs: InlineArray { own + gather.count + $0 &* slabFloats })
  }

  /// Where a task sums the gradient of its weights, [taps][width].
  func weightSums(
    _ part: Int, _ slab: Int, memory: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> { memory + (part &* count &+ slab) &* taps &* width }
}

extension DepthwiseConvolution {
  /// output = the convolution of a normalised map, and the mean and the biased variance of each of
  /// its channels.
  public func forward(
    input map: NormalizedMap, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>, scratch: NormScratch
  ) {
    precondition(scratch.count >= momentFloats, "the scratch is too small for the moments")
    guard let plan = slabs else { preconditionFailure("the convolution was planned for inference") }
    let channels = shape.inputChannels
    let sums = MomentSums(base: scratch.base, channels: channels)
    let zeros = UnsafePointer(zeros.base)
    let taps = forwardTaps
    pool.workspace.use { memory in
      pool.runOnWorkers(plan.parts * plan.count) { index, worker in
        let task = plan.task(index, channels: channels, worker: worker, memory: memory)
        let first = task.channels.lowerBound
        let gather = DepthwiseGather(
          plan: plan.forward, taps: taps, weight: weight + first, weightPitch: channels,
          channels: task.channels.count, zeros: zeros, places: task.places)
        var image = task.images.lowerBound
        while image < task.images.upperBound {
          let count = min(plan.images, task.images.upperBound &- image)
          map.writeSlab(
            first: image &* plan.inputPixels, count: count &* plan.inputPixels,
            channels: channels, slab: task.channels, to: task.slabs[0], width: plan.width)
          let target = output + image &* plan.outputPixels &* channels
          forEachBlock(count &* plan.outputPixels) { pixel, size in
            gather.run(
              first: pixel, count: size, source: task.slabs[0], target: target + first,
              finish: PlainSum())
          }
          sums.add(
            part: task.part, isFirst: image == task.images.lowerBound, x: target,
            rows: count &* plan.outputPixels, pitch: channels, from: first,
            to: task.channels.upperBound)
          image &+= count
        }
      }
    }
    sums.join(parts: plan.parts, mean: mean, variance: variance) { part in
      min(plan.imagesPerPart, shape.batch - part * plan.imagesPerPart) * plan.outputPixels
    }
  }

  /// The floats of scratch that the forward pass needs for its statistics.
  public var momentFloats: Int {
    MomentSums.count(parts: gradientParts, channels: shape.inputChannels)
  }

  /// The parts in which `backward` sums the gradients of the norm before the convolution.
  public var gradientParts: Int { slabs?.parts ?? 0 }

  /// Both gradients of the convolution of a normalised map, through the norm behind it.
  ///
  /// - Parameters:
  ///   - map: the input of the forward pass, without a gate.
  ///   - output: its result as the norm behind sees it, with the gradient of that norm's argument
  ///     and the totals of its joined sums.
  ///   - weightGradient: is added to if it is wanted.
  ///   - argumentGradient: is given the gradient of the argument of the norm in front.
  ///   - sums: of `argumentGradient`.
  public func backward(
    input map: NormalizedMap, weight: UnsafePointer<Float>, output: NormalizedMap,
    outputArgumentGradient: UnsafePointer<Float>, outputTotals: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>?,
    argumentGradient: UnsafeMutablePointer<Float>, sums: GradientSums
  ) {
    precondition(map.gate == nil, "a gate behind a depthwise convolution is another layer's")
    guard let plan = slabs else { preconditionFailure("the convolution was planned for inference") }
    let channels = shape.inputChannels
    let zeros = UnsafePointer(zeros.base)
    pool.workspace.use { memory in
      pool.runOnWorkers(plan.parts * plan.count) { index, worker in
        let task = plan.task(index, channels: channels, worker: worker, memory: memory)
        let (values, slopes) = (task.slabs[0], task.slabs[1])
        let (gradient, inputGradient) = (task.slabs[2], task.slabs[3])
        let first = task.channels.lowerBound
        let weightSums = plan.weightSums(task.part, task.slab, memory: memory)
        var image = task.images.lowerBound
        while image < task.images.upperBound {
          let count = min(plan.images, task.images.upperBound &- image)
          let isFirst = image == task.images.lowerBound
          let input = image &* plan.inputPixels
          map.writeSlab(
            first: input, count: count &* plan.inputPixels, channels: channels,
            slab: task.channels, to: values, slopes: slopes, width: plan.width)
          for pixel in 0..<count &* plan.outputPixels {
            let row = (image &* plan.outputPixels &+ pixel) &* channels
            InputGradientRow<IdentityFunction>(
              x: output.x + row, outputGradient: outputArgumentGradient + row, channels: channels,
              norm: output.norm, totals: outputTotals,
              inputGradient: gradient + (pixel &* plan.width &- first)
            ).cover(from: first, to: task.channels.upperBound)
          }
          if weightGradient != nil {
            sumWeights(
              plan, task, pixels: count &* plan.outputPixels, values: values, gradient: gradient,
              sums: weightSums, isFirst: isFirst, zeros: zeros)
          }
          for phase in plan.backward where phase.plan.pixels > 0 {
            let gather = DepthwiseGather(
              plan: phase.plan, taps: phase.taps, weight: weight + first, weightPitch: channels,
              channels: task.channels.count, zeros: zeros, places: task.places)
            forEachBlock(phase.plan.pixels / plan.images &* count) { pixel, size in
              gather.run(
                first: pixel, count: size, source: gradient, target: inputGradient,
                finish: PlainSum())
            }
          }
          SlabArgumentGradients(
            x: map.x + input &* channels + first, mean: map.norm.mean + first,
            inputGradient: inputGradient, slopes: slopes, rows: count &* plan.inputPixels,
            width: plan.width, channels: channels, isFirst: isFirst,
            argumentGradient: argumentGradient + input &* channels + first,
            sums: sums.part(task.part) + first
          ).cover(task.channels.count)
          image &+= count
        }
      }
      if let weightGradient { joinWeights(plan, memory, weightGradient) }
    }
  }

  /// Adds the products of a slab's values and gradients to a part's sums.
  private func sumWeights(
    _ plan: DepthwiseSlabs, _ task: DepthwiseSlabs.Task, pixels: Int,
    values: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
    sums: UnsafeMutablePointer<Float>, isFirst: Bool, zeros: UnsafePointer<Float>
  ) {
    let isThree = shape.kernel == 3
    forEachBlock(pixels) { pixel, size in
      plan.forward.fill(
        first: pixel, count: size, source: values, target: sums, zeros: zeros,
        spare: task.places.spare, overhang: 0, patches: task.places.patches,
        table: task.places.table, targets: task.places.targets)
      // A few pixels at a time: all their channels stay in the nearest cache.
      var offset = 0
      while offset < size {
        let few = DepthwiseTaps(
          table: task.places.table + offset, gradient: gradient + (pixel &+ offset) &* plan.width,
          pixels: min(8, size &- offset), channels: plan.width, sums: sums,
          accumulate: !isFirst || pixel &+ offset > 0)
        if isThree {
          few.coverPairs(from: 0, to: task.channels.count)
        } else {
          DepthwiseTaps25(few).coverNarrow(from: 0, to: task.channels.count)
        }
        offset &+= 8
      }
    }
  }

  /// weightGradient += the parts' sums, in order.
  private func joinWeights(
    _ plan: DepthwiseSlabs, _ memory: UnsafeMutablePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.inputChannels
    pool.run(plan.count * plan.taps) { task in
      let (slab, tap) = (task / plan.taps, task % plan.taps)
      let first = slab &* plan.width
      for part in 0..<plan.parts {
        RowSum(
          source: plan.weightSums(part, slab, memory: memory) + tap &* plan.width,
          target: weightGradient + (tap &* channels &+ first)
        ).cover(min(plan.width, channels &- first))
      }
    }
  }
}

/// Calls `body` with runs of pixels that fit an address table.
@inline(__always)
private func forEachBlock(_ pixels: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
  var pixel = 0
  while pixel < pixels {
    body(pixel, min(GatherPlan.block, pixels &- pixel))
    pixel &+= GatherPlan.block
  }
}

/// target += source.
private struct RowSum: ChannelGroup {
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(target + c) + L.load(source + c)).store(target + c)
  }
}

/// dz = dy * slope for the rows of a slab, stored into the whole map, and its sums.
private struct SlabArgumentGradients: ChannelGroup {
  let x: UnsafePointer<Float>
  let mean: UnsafePointer<Float>
  let inputGradient: UnsafePointer<Float>
  let slopes: UnsafePointer<Float>
  let rows: Int
  let width: Int
  let channels: Int
  let isFirst: Bool
  let argumentGradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let center = L.load(mean + c)
    var total = isFirst ? L(splat: 0) : L.load(sums + c)
    var products = isFirst ? L(splat: 0) : L.load(sums + channels + c)
    for row in 0..<rows {
      let place = row &* width &+ c
      let dz = L.load(inputGradient + place) * L.load(slopes + place)
      dz.store(argumentGradient + row &* channels + c)
      total = total + dz
      products = L.fma(dz, L.load(x + row &* channels + c) - center, products)
    }
    total.store(sums + c)
    products.store(sums + channels + c)
  }
}
