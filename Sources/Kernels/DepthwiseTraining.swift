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
    let moments = MomentSums(base: scratch.base, channels: channels)
    pool.workspace.use { memory in
      plan.clearMargins(memory, pool, backward: false)
      pool.runOnWorkers(plan.parts * plan.count) { index, worker in
        let task = plan.task(index, channels: channels, worker: worker, memory: memory)
        let start = task.channels.lowerBound
        plan.forEachGroup(task) { image, count in
          map.writeSlab(
            first: image &* plan.inputPixels, count: count &* plan.inputPixels,
            channels: channels, slab: task.channels, to: task.input)
          for plane in 0..<task.planes {
            planeSums(
              plan.forward, task, plane: plane, weight: weight, from: task.input, to: task.first
            )
            .run(
              count &* plan.outputPixels, moments: task.moments + plane &* 48,
              isFirst: image == task.images.lowerBound)
          }
          for pixel in 0..<count &* plan.outputPixels {
            let row = (image &* plan.outputPixels &+ pixel) &* channels &+ start
            StoredRow(
              source: task.first.pixel(pixel), slab: task.first, target: output + row,
              channels: channels
            ).cover(task.channels.count)
          }
        }
        for plane in 0..<task.planes {
          let first = start &+ plane &* 16
          moments.set(
            part: task.part, from: first, to: min(first &+ 16, task.channels.upperBound),
            task.moments + plane &* 48)
        }
      }
    }
    moments.join(parts: plan.parts, mean: mean, variance: variance) { part in
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
    outputGradient: ArgumentGradient, outputTotals: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>?,
    argumentGradient: UnsafeMutablePointer<Float>, sums: GradientSums
  ) {
    precondition(map.gate == nil, "a gate behind a depthwise convolution is another layer's")
    guard let plan = slabs else { preconditionFailure("the convolution was planned for inference") }
    let channels = shape.inputChannels
    pool.workspace.use { memory in
      plan.clearMargins(memory, pool, backward: true)
      pool.runOnWorkers(plan.parts * plan.count) { index, worker in
        let task = plan.task(index, channels: channels, worker: worker, memory: memory)
        let (slopes, inputGradient) = (task.first, task.second)
        let start = task.channels.lowerBound
        plan.forEachGroup(task) { image, count in
          let isFirst = image == task.images.lowerBound
          let input = image &* plan.inputPixels
          map.writeSlab(
            first: input, count: count &* plan.inputPixels, channels: channels,
            slab: task.channels, to: task.input, slopes: slopes)
          output.writeInputGradients(
            outputGradient, images: image..<image &+ count, channels: channels,
            totals: outputTotals, slab: task.channels, to: task.gradient)
          for plane in 0..<task.planes {
            if weightGradient != nil {
              sumWeights(
                plan, task, plane: plane, pixels: count &* plan.outputPixels, isFirst: isFirst,
                memory: memory)
            }
            for phase in 0..<plan.backward.count {
              let pass = plan.backward.base[phase]
              planeSums(
                pass, task, plane: plane, weight: weight, from: task.gradient, to: inputGradient
              ).run(
                count &* pass.targetsPerImage, factors: slopes.base + plane &* slopes.distance)
            }
          }
          forEachRun(0, count &* plan.inputPixels, channels: task.channels.count) { pixel, rows in
            let row = (input &+ pixel) &* channels &+ start
            SlabArgumentGradients(
              x: map.x + row, mean: map.norm.mean + start,
              source: inputGradient.pixel(pixel), slab: inputGradient, rows: rows,
              channels: channels, isFirst: isFirst && pixel == 0,
              argumentGradient: argumentGradient + row, sums: sums.part(task.part) + start
            ).cover(task.channels.count)
          }
        }
      }
      if let weightGradient { joinWeights(plan, memory, weightGradient) }
    }
  }

  /// One pass for one plane.
  private func planeSums(
    _ pass: DepthwisePass.Addresses, _ task: DepthwiseSlabs.Task, plane: Int,
    weight: UnsafePointer<Float>, from source: ChannelSlab, to target: ChannelSlab
  ) -> PlaneSums {
    let channels = shape.inputChannels
    let first = task.channels.lowerBound &+ plane &* 16
    var (weights, pitch) = (weight + first, channels)
    if first &+ 16 > channels {
      // The last channels do not fill a plane.
      (weights, pitch) = (UnsafePointer(task.weights), 16)
      for tap in 0..<shape.kernel &* shape.kernel {
        copyPadded(
          weight + (tap &* channels &+ first), channels &- first, task.weights + tap &* 16, 16)
      }
    }
    return PlaneSums(
      pass: pass, source: source.base + plane &* source.distance,
      target: target.base + plane &* target.distance, weights: weights, pitch: pitch)
  }

  /// Adds the products of a plane's values and gradients to a part's sums.
  private func sumWeights(
    _ plan: DepthwiseSlabs, _ task: DepthwiseSlabs.Task, plane: Int, pixels: Int, isFirst: Bool,
    memory: UnsafeMutablePointer<Float>
  ) {
    let sums = PlaneWeightSums(
      source: task.input.base + plane &* task.input.distance, sources: plan.forward.sources,
      start: plan.firstTap, pitch: plan.input.pitch,
      gradient: task.gradient.base + plane &* task.gradient.distance,
      pixels: task.gradient.pixels, count: pixels,
      sums: plan.weightSums(task.part, task.slab, memory: memory) + plane &* plan.taps &* 16,
      isFirst: isFirst)
    if plan.kernel == 3 { sums.run3() } else { sums.run5() }
  }

  /// weightGradient += the parts' sums, in order.
  private func joinWeights(
    _ plan: DepthwiseSlabs, _ memory: UnsafeMutablePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.inputChannels
    let planesPerSlab = plan.width / 16
    pool.run((channels + 15) / 16) { plane in
      let (slab, place) = (plane / planesPerSlab, plane % planesPerSlab)
      for tap in 0..<plan.taps {
        for part in 0..<plan.parts {
          AddedRow(
            source: plan.weightSums(part, slab, memory: memory)
              + (place &* plan.taps &+ tap) &* 16,
            target: weightGradient + (tap &* channels &+ plane &* 16)
          ).cover(min(16, channels &- plane &* 16))
        }
      }
    }
  }
}

/// A pixel's channels from a slab to a row.
private struct StoredRow: ChannelGroup {
  let source: UnsafePointer<Float>
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>
  /// The channels of the whole row.
  let channels: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetchToWrite(target + c + Ahead.rows &* channels)
    L.loadBlocks(source + slab.offset(c), slab.distance).store(target + c)
  }
}

/// A few pixels of dz from a slab to the whole map, and its sums.
private struct SlabArgumentGradients: ChannelGroup {
  let x: UnsafePointer<Float>
  let mean: UnsafePointer<Float>
  /// The first pixel, of a slab without margins.
  let source: UnsafePointer<Float>
  let slab: ChannelSlab
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let argumentGradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let center = L.load(mean + c)
    var total = isFirst ? L(splat: 0) : L.load(sums + c)
    var products = isFirst ? L(splat: 0) : L.load(sums + channels + c)
    let source = source + slab.offset(c)
    for row in 0..<rows {
      let dz = L.loadBlocks(source + row &* 16, slab.distance)
      dz.store(argumentGradient + row &* channels + c)
      L.fetchToWrite(argumentGradient + (row &+ rows) &* channels + c)
      total = total + dz
      products = L.fma(dz, L.load(x + row &* channels + c) - center, products)
    }
    total.store(sums + c)
    products.store(sums + channels + c)
  }
}
