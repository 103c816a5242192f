/// output [batch, channels] = the mean of x [batch, spatial, channels] over its pixels.
public func globalAveragePool(
  _ x: UnsafePointer<Float>, batch: Int, spatial: Int, channels: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    forEachRun(0, spatial, channels: channels) { pixel, count in
      PixelSums(
        x: x + (image &* spatial &+ pixel) &* channels, pixels: count, channels: channels,
        isFirst: pixel == 0, scale: pixel &+ count == spatial ? 1 / Float(spatial) : 1,
        sums: output + image &* channels
      ).cover(channels)
    }
  }
}

/// sums = (sums + the sum of a run of pixels) * scale.
private struct PixelSums: ChannelGroup {
  let x: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let scale: Float
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var even = isFirst ? L(splat: 0) : L.load(sums + c)
    var odd = L(splat: 0)
    var source = x + c
    var pixel = 0
    while pixel &+ 2 <= pixels {
      even = even + L.load(source)
      odd = odd + L.load(source + channels)
      source += 2 &* channels
      pixel &+= 2
    }
    if pixel < pixels { even = even + L.load(source) }
    ((even + odd) * L(splat: scale)).store(sums + c)
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
    forEachRun(0, spatial, channels: channels) { pixel, count in
      let offset = (image &* spatial &+ pixel) &* channels
      GateGradients(
        x: x + offset, gate: gate + image &* channels, outputGradient: outputGradient + offset,
        pixels: count, channels: channels, isFirst: pixel == 0,
        inputGradient: inputGradient + offset, gateGradient: gateGradient + image &* channels
      ).cover(channels)
    }
  }
}

/// The gradients of a run of pixels; the gate's is added up.
private struct GateGradients: ChannelGroup {
  let x: UnsafePointer<Float>
  let gate: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let inputGradient: UnsafeMutablePointer<Float>
  let gateGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let factor = L.load(gate + c)
    var sum = isFirst ? L(splat: 0) : L.load(gateGradient + c)
    var offset = c
    var pixel = 0
    while pixel < pixels {
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
func runPerImage(
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
