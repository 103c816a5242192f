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

/// Runs one task per image, or, for small images, per group of neighbouring images.
@inline(__always)
func runPerImage(
  _ batch: Int, _ elements: Int, _ pool: ThreadPool, _ body: (_ image: Int) -> Void
) {
  let group = max(1, 16_384 / elements)
  pool.run((batch + group - 1) / group) { task in
    var image = task &* group
    let end = min(batch, image &+ group)
    while image < end {
      body(image)
      image &+= 1
    }
  }
}
