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
      pool.runOnWorkers(plan.parts * plan.count) { worker in
        plan.clearMargins(memory.own(worker), backward: false)
      } then: { index, worker in
        let task = plan.task(index, channels: channels, memory: memory.own(worker))
        plan.forEachStrip(task, pitch: channels) { strip in
          let (image, count) = (strip.images.lowerBound, strip.images.count)
          map.writeSlab(
            first: image &* plan.inputPixels, count: count &* plan.inputPixels,
            channels: channels, slab: strip.channels, ahead: strip.ahead, to: task.input)
          let pixels = count &* plan.outputPixels
          let first = output + image &* plan.outputPixels &* channels
          for index in strip.planes {
            let plane = task.plane(index, of: strip)
            planeSums(
              plan.forward, task, plane, weight: weight, from: task.input,
              to: task.target(plane, in: first, pitch: channels, pixels: pixels)
            ).run(pixels, moments: task.moments + index &* 48, isFirst: strip.isFirst)
            guard plane.width < 16 else { continue }
            for pixel in 0..<pixels {
              (first + (pixel &* channels &+ plane.channel)).update(
                from: task.spare + pixel &* 16, count: plane.width)
            }
          }
        }
        for plane in 0..<task.planes {
          let summed = task.channels(of: plane)
          moments.set(
            part: task.part, from: summed.lowerBound, to: summed.upperBound,
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
      pool.runOnWorkers(plan.parts * plan.count) { worker in
        plan.clearMargins(memory.own(worker), backward: true)
      } then: { index, worker in
        let task = plan.task(index, channels: channels, memory: memory.own(worker))
        task.moments.update(repeating: 0, count: task.planes &* 48)
        plan.forEachStrip(task, pitch: channels) { strip in
          let (image, count) = (strip.images.lowerBound, strip.images.count)
          map.writeSlab(
            first: image &* plan.inputPixels, count: count &* plan.inputPixels,
            channels: channels, slab: strip.channels, ahead: strip.ahead, to: task.input,
            slopes: task.slopes)
          output.writeInputGradients(
            outputGradient, images: strip.images, channels: channels, totals: outputTotals,
            slab: strip.channels, ahead: strip.ahead, to: task.gradient)
          for index in strip.planes {
            let plane = task.plane(index, of: strip)
            if weightGradient != nil {
              sumWeights(
                plan, task, plane, pixels: count &* plan.outputPixels, isFirst: strip.isFirst,
                memory: memory)
            }
            writeArgumentGradients(
              plan, task, plane, images: strip.images, map, weight: weight, to: argumentGradient)
          }
        }
        for plane in 0..<task.planes {
          let summed = task.channels(of: plane)
          let part = sums.part(task.part) + summed.lowerBound
          let totals = task.moments + plane &* 48
          part.update(from: totals, count: summed.count)
          (part + channels).update(from: totals + 16, count: summed.count)
        }
      }
      if let weightGradient { joinWeights(plan, memory, weightGradient) }
    }
  }

  /// The gradient of the norm's argument for a plane of some images, and its sums in the plane's
  /// moments.
  private func writeArgumentGradients(
    _ plan: DepthwiseSlabs, _ task: DepthwiseSlabs.Task, _ plane: DepthwiseSlabs.Plane,
    images: Range<Int>, _ map: NormalizedMap, weight: UnsafePointer<Float>,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.inputChannels
    let pixels = images.count &* plan.inputPixels
    let first = images.lowerBound &* plan.inputPixels &* channels
    let (x, mean) = (map.x + (first &+ plane.channel), map.norm.mean + plane.channel)
    let slopes = UnsafePointer(task.slopes.base + plane.place &* task.slopes.distance)
    let totals = task.moments + plane.index &* 48
    let target = task.target(plane, in: gradient + first, pitch: channels, pixels: pixels)
    for phase in 0..<plan.backward.count {
      let pass = plan.backward.base[phase]
      let sums = planeSums(
        pass, task, plane, weight: weight, from: task.gradient, to: target)
      let targets = images.count &* pass.targetsPerImage
      if plane.width == 16 {
        sums.run(targets, factors: slopes, x: x, mean: mean, totals: totals)
      } else {
        sums.run(targets, factors: slopes)
      }
    }
    if plane.width < 16 {
      LastArgumentGradients(
        source: task.spare, pixels: pixels, x: x, mean: mean, channels: channels,
        target: gradient + (first &+ plane.channel), totals: totals
      ).cover(plane.width)
    }
  }

  /// One pass for one plane.
  private func planeSums(
    _ pass: DepthwisePass.Addresses, _ task: DepthwiseSlabs.Task, _ plane: DepthwiseSlabs.Plane,
    weight: UnsafePointer<Float>, from source: ChannelSlab, to target: PlaneTarget
  ) -> PlaneSums {
    let channels = shape.inputChannels
    var (weights, pitch) = (weight + plane.channel, channels)
    if plane.width < 16 {
      // The last channels do not fill a plane.
      (weights, pitch) = (UnsafePointer(task.weights), 16)
      for tap in 0..<shape.kernel &* shape.kernel {
        copyPadded(
          weight + (tap &* channels &+ plane.channel), plane.width, task.weights + tap &* 16, 16)
      }
    }
    return PlaneSums(
      pass: pass, source: source.base + plane.place &* source.distance, target: target,
      weights: weights, pitch: pitch)
  }

  /// Adds the products of a plane's values and gradients to a part's sums.
  private func sumWeights(
    _ plan: DepthwiseSlabs, _ task: DepthwiseSlabs.Task, _ plane: DepthwiseSlabs.Plane,
    pixels: Int, isFirst: Bool, memory: WorkMemory
  ) {
    let (input, gradient) = (task.input, task.gradient)
    let sums = PlaneWeightSums(
      source: input.base + plane.place &* input.distance, sources: plan.forward.sources,
      start: plan.firstTap, pitch: plan.input.pitch,
      gradient: gradient.base + plane.place &* gradient.distance, pixels: gradient.pixels,
      count: pixels, run: plan.forward.run,
      sums: plan.weightSums(task.part, task.slab, memory: memory.shared)
        + plane.index &* plan.taps &* 16,
      isFirst: isFirst)
    if plan.kernel == 3 { sums.run3() } else { sums.run5() }
  }

  /// weightGradient += the parts' sums, in order.
  private func joinWeights(
    _ plan: DepthwiseSlabs, _ memory: WorkMemory,
    _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.inputChannels
    let (planesPerTask, planes) = (plan.width / 16, (channels + 15) / 16)
    let (group, distance) = (4, plan.count &* plan.taps &* plan.width)
    pool.run((planes + group - 1) / group) { task in
      for plane in task &* group..<min(planes, (task &+ 1) &* group) {
        let (slab, place) = plane.quotientAndRemainder(dividingBy: planesPerTask)
        let sums = plan.weightSums(0, slab, memory: memory.shared) + place &* plan.taps &* 16
        for tap in 0..<plan.taps {
          ColumnSums(
            source: sums + tap &* 16, rows: plan.parts, columns: distance,
            target: weightGradient + (tap &* channels &+ plane &* 16)
          ).cover(min(16, channels &- plane &* 16))
        }
      }
    }
  }
}

/// dz of channels that do not fill a plane, from the spare one to the map, and its sums.
private struct LastArgumentGradients: ChannelGroup {
  let source: UnsafePointer<Float>
  let pixels: Int
  let x: UnsafePointer<Float>
  let mean: UnsafePointer<Float>
  /// The channels of the whole row.
  let channels: Int
  let target: UnsafeMutablePointer<Float>
  /// [2][16].
  let totals: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let center = L.load(mean + c)
    var (total, products) = (L.load(totals + c), L.load(totals + 16 + c))
    for pixel in 0..<pixels {
      let dz = L.load(source + (pixel &* 16 &+ c))
      let place = pixel &* channels &+ c
      products = L.fma(dz, L.load(x + place) - center, products)
      total = total + dz
      dz.store(target + place)
    }
    total.store(totals + c)
    products.store(totals + 16 + c)
  }
}
