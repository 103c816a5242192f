/// output [batch, channels] = the mean of x [batch, spatial, channels] over its pixels.
public func globalAveragePool(
  _ x: UnsafePointer<Float>, batch: Int, spatial: Int, channels: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    MeanColumn(
      x: x + image * spatial * channels, spatial: spatial, channels: channels,
      output: output + image * channels
    ).cover(channels)
  }
}

private struct MeanColumn: ChannelGroup {
  let x: UnsafePointer<Float>
  let spatial: Int
  let channels: Int
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sums = (L(splat: 0), L(splat: 0))
    var source = x + c
    var pixel = 0
    while pixel &+ 2 <= spatial {
      sums.0 = sums.0 + L.load(source)
      sums.1 = sums.1 + L.load(source + channels)
      source += 2 &* channels
      pixel &+= 2
    }
    if pixel < spatial { sums.0 = sums.0 + L.load(source) }
    ((sums.0 + sums.1) * L(splat: 1 / Float(spatial))).store(output + c)
  }
}

/// inputGradient [batch, spatial, channels] = (or += with `accumulate`) outputGradient
/// [batch, channels] / spatial.
public func globalAveragePoolBackward(
  outputGradient: UnsafePointer<Float>, batch: Int, spatial: Int, channels: Int,
  inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    for pixel in 0..<spatial {
      SpreadRow(
        gradient: outputGradient + image * channels, scale: 1 / Float(spatial),
        accumulate: accumulate, target: inputGradient + (image * spatial + pixel) * channels
      ).cover(channels)
    }
  }
}

private struct SpreadRow: ChannelGroup {
  let gradient: UnsafePointer<Float>
  let scale: Float
  let accumulate: Bool
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let value = L.load(gradient + c) * L(splat: scale)
    if accumulate {
      (L.load(target + c) + value).store(target + c)
    } else {
      value.store(target + c)
    }
  }
}

/// output [batch, spatial, channels] = x * gate, with gate [batch, channels]; output may alias x.
public func channelGate(
  _ x: UnsafePointer<Float>, gate: UnsafePointer<Float>, batch: Int, spatial: Int, channels: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    for pixel in 0..<spatial {
      let offset = (image * spatial + pixel) * channels
      GatedRow(x: x + offset, gate: gate + image * channels, output: output + offset)
        .cover(channels)
    }
  }
}

private struct GatedRow: ChannelGroup {
  let x: UnsafePointer<Float>
  let gate: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(x + c) * L.load(gate + c)).store(output + c)
  }
}

/// inputGradient = outputGradient * gate and gateGradient [batch, channels] = Σ outputGradient * x
/// over the pixels; inputGradient may alias outputGradient.
public func channelGateBackward(
  _ x: UnsafePointer<Float>, gate: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
  batch: Int, spatial: Int, channels: Int, inputGradient: UnsafeMutablePointer<Float>,
  gateGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    let offset = image * spatial * channels
    GateGradientColumn(
      x: x + offset, gate: gate + image * channels, outputGradient: outputGradient + offset,
      spatial: spatial, channels: channels, inputGradient: inputGradient + offset,
      gateGradient: gateGradient + image * channels
    ).cover(channels)
  }
}

private struct GateGradientColumn: ChannelGroup {
  let x: UnsafePointer<Float>
  let gate: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let spatial: Int
  let channels: Int
  let inputGradient: UnsafeMutablePointer<Float>
  let gateGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let factor = L.load(gate + c)
    var sum = L(splat: 0)
    var offset = c
    var pixel = 0
    while pixel < spatial {
      let gradient = L.load(outputGradient + offset)
      sum = L.fma(gradient, L.load(x + offset), sum)
      (gradient * factor).store(inputGradient + offset)
      offset &+= channels
      pixel &+= 1
    }
    sum.store(gateGradient + c)
  }
}

/// Runs one task per image, or, for small images, per group of neighbouring images.
@inline(__always)
private func runPerImage(
  _ batch: Int, _ elements: Int, _ pool: ThreadPool, _ body: (_ image: Int) -> Void
) {
  let group = max(1, 8_192 / elements)
  pool.run((batch + group - 1) / group) { task in
    var image = task &* group
    let end = min(batch, image &+ group)
    while image < end {
      body(image)
      image &+= 1
    }
  }
}
