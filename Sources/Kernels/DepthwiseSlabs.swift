/// How a depthwise convolution is cut in training: tasks of some images and channels, each done strip
/// by strip.
///
/// A strip of a few images and channels fits a core's cache, so that between norms nothing goes through
/// memory: the normalised input is computed into it, convolved, and in backward turned into the
/// gradients of both. Its channels lie in planes of sixteen. It is as narrow as the longest chains of
/// operations allow (`coverChains`): a core may share its cache with other programs.
struct DepthwiseSlabs {
  /// The most channels of a task, and planes of a strip.
  private static let widest = 256
  private static let mostPlanes = 4
  /// The most floats of a strip, counted with zeros on all sides of its images: the four that a task
  /// has in backward share a cache of a megabyte.
  private static let stripFloats = 63_000
  /// The most pixels whose lines stay in the first cache until they are used.
  private static let fewPixels = 512

  /// Channels of a task and how many tasks share them.
  let width: Int
  let count: Int
  /// Images that are in a strip together.
  let images: Int
  /// Images of a part, whose sums are kept apart, and how many parts there are.
  let imagesPerPart: Int
  let parts: Int

  let inputPixels: Int
  let outputPixels: Int
  private let batch: Int
  let kernel: Int
  let taps: Int
  /// The planes of the input and of the output's gradient, with the zeros that taps meet, and a
  /// plane without any that holds either's pixels.
  let input: PaddedPlane
  let gradient: PaddedPlane
  let plain: PaddedPlane
  /// From the input to the output, and from the output's gradient to the input's.
  let forward: DepthwisePass.Addresses
  let backward: Table<DepthwisePass.Addresses>
  private let passes: [DepthwisePass]
  /// Where the first tap reads, from a target's place in the input.
  let firstTap: Int
  /// Planes of a strip.
  private let stripPlanes: Int
  /// Floats of a worker's own memory.
  let workerCount: Int
  /// Floats of the parts' sums of weight gradients.
  let sumsCount: Int

  init(_ shape: ConvolutionShape) {
    batch = shape.batch
    inputPixels = shape.inputHeight * shape.inputWidth
    outputPixels = shape.outputHeight * shape.outputWidth
    let channels = shape.inputChannels
    let images = max(1, min(batch, 64 / inputPixels))
    let cells = (shape.inputHeight + shape.kernel - 1) * (shape.inputWidth + shape.kernel - 1)
    stripPlanes = max(1, min(Self.mostPlanes, Self.stripFloats / (images * cells * 16)))
    let groups = (batch + images - 1) / images
    imagesPerPart = (groups + 15) / 16 * images
    parts = (batch + imagesPerPart - 1) / imagesPerPart
    // Narrower ones where there would be so few tasks that threads wait for the last.
    let wanted = min((8 + parts - 1) / parts, channels / 64)
    let shares = max(wanted, (channels + Self.widest - 1) / Self.widest)
    let strip = 16 * Self.mostPlanes
    width = ((channels + shares - 1) / shares + strip - 1) / strip * strip
    count = (channels + width - 1) / width

    let kernel = shape.kernel
    self.kernel = kernel
    taps = kernel * kernel
    let (rows, columns) = shape.forwardAxes
    input = PaddedPlane(
      images: images, height: shape.inputHeight, width: shape.inputWidth, rows: rows.margin,
      columns: columns.margin)
    let output = DepthwisePass(
      rows: rows, columns: columns, kernel: kernel, plane: input, images: images,
      width: shape.outputWidth, pixels: outputPixels)
    firstTap = -(shape.padTop * input.pitch + shape.padLeft * 16)

    let phases = shape.backwardAxes
    let gradient = PaddedPlane(
      images: images, height: shape.outputHeight, width: shape.outputWidth,
      rows: .widest(phases.map(\.rows.margin)), columns: .widest(phases.map(\.columns.margin)))
    let transpose = phases.map { axes in
      DepthwisePass(
        rows: axes.rows, columns: axes.columns, kernel: kernel, plane: gradient, images: images,
        width: shape.inputWidth, pixels: shape.inputHeight * shape.inputWidth)
    }
    forward = output.addresses
    backward = Table(transpose.map(\.addresses))
    passes = [output] + transpose
    self.images = images
    self.gradient = gradient
    plain = PaddedPlane(images: images, height: 1, width: max(inputPixels, outputPixels))
    let floats = stripPlanes * (input.count + gradient.count + plain.count) + plain.count
    workerCount = floats + (taps + 3 * (width / 16)) * 16
    sumsCount = parts * count * taps * width
  }

  /// A task: a part of the images, a slab of the channels, and a worker's memory for it.
  struct Task {
    let part: Int
    let slab: Int
    /// The images of the part.
    let images: Range<Int>
    /// The channels of the slab, and its planes.
    let channels: Range<Int>
    let planes: Int
    /// Slabs of the input, of the output's gradient, and, without zeros around their images, of the
    /// activation's slopes.
    let input: ChannelSlab
    let gradient: ChannelSlab
    let slopes: ChannelSlab
    /// A plane for channels that do not fill one.
    let spare: UnsafeMutablePointer<Float>
    /// Room for a plane's weights, and for the moments of every plane.
    let weights: UnsafeMutablePointer<Float>
    let moments: UnsafeMutablePointer<Float>

    /// The channels of a plane by its number in the task: sixteen, or fewer of the last one.
    func channels(of plane: Int) -> Range<Int> {
      let first = channels.lowerBound &+ plane &* 16
      return first..<min(first &+ 16, channels.upperBound)
    }

    /// A plane by its number in the task.
    func plane(_ index: Int, of strip: Strip) -> Plane {
      let channels = channels(of: index)
      return Plane(
        index: index, place: index &- strip.planes.lowerBound, channel: channels.lowerBound,
        width: channels.count, isLast: index &+ 1 == planes)
    }

    /// Where the results of a plane go: to the first of `pixels` pixels of a map, or to the spare plane
    /// where they would not fill their place in it.
    func target(
      _ plane: Plane, in pixel: UnsafeMutablePointer<Float>, pitch: Int, pixels: Int
    ) -> PlaneTarget {
      if plane.width < 16 { return PlaneTarget(base: spare) }
      // Of few pixels, those of the next plane are asked for.
      let ahead = pixels > fewPixels ? 64 &* pitch : plane.isLast ? 0 : 16
      return PlaneTarget(base: pixel + plane.channel, pitch: pitch, ahead: ahead)
    }
  }

  /// Sixteen channels of a task, or fewer of the last ones.
  struct Plane {
    /// Its number in the task, and its place in the strip's slabs.
    let index: Int
    let place: Int
    /// The first channel and how many.
    let channel: Int
    let width: Int
    /// Whether it is the task's last one.
    let isLast: Bool
  }

  /// What a worker's slabs hold at a time: some images, and some planes of a task's channels.
  struct Strip {
    let images: Range<Int>
    /// Whether the images are the task's first.
    let isFirst: Bool
    /// The planes, counted from the task's first channel.
    let planes: Range<Int>
    let channels: Range<Int>
    /// Floats to what is read after a pixel's channels, for the cache to be asked for.
    let ahead: Int
  }

  /// Writes the zeros around the images of a worker's planes, which its tasks leave alone.
  func clearMargins(_ slabs: UnsafeMutablePointer<Float>, backward: Bool) {
    ChannelSlab(slabs, input).clearMargins(input, planes: stripPlanes)
    guard backward else { return }
    ChannelSlab(slabs + stripPlanes &* input.count, gradient)
      .clearMargins(gradient, planes: stripPlanes)
  }

  func task(_ index: Int, channels: Int, memory: UnsafeMutablePointer<Float>) -> Task {
    let (part, slab) = (index / count, index % count)
    let first = part &* imagesPerPart
    let slabChannels = slab &* width..<min(channels, (slab &+ 1) &* width)
    var next = memory
    func take(_ plane: PaddedPlane) -> ChannelSlab {
      defer { next += stripPlanes &* plane.count }
      return ChannelSlab(next, plane)
    }
    return Task(
      part: part, slab: slab, images: first..<min(batch, first &+ imagesPerPart),
      channels: slabChannels, planes: (slabChannels.count &+ 15) / 16, input: take(input),
      gradient: take(gradient), slopes: take(plain), spare: next, weights: next + plain.count,
      moments: next + (plain.count &+ taps &* 16))
  }

  /// Calls `body` with each strip of a task: group by group of its images, from its first channel on.
  @inline(__always)
  func forEachStrip(_ task: Task, pitch: Int, _ body: (Strip) -> Void) {
    var image = task.images.lowerBound
    while image < task.images.upperBound {
      let end = min(task.images.upperBound, image &+ images)
      var plane = 0
      while plane < task.planes {
        let next = min(task.planes, plane &+ stripPlanes)
        let first = task.channels.lowerBound &+ plane &* 16
        // Of few pixels, the next strip is asked for where there is one.
        let asksForNext = (end &- image) &* inputPixels <= Self.fewPixels && next < task.planes
        let ahead = asksForNext ? stripPlanes &* 16 : Ahead.rows &* pitch
        body(
          Strip(
            images: image..<end, isFirst: image == task.images.lowerBound, planes: plane..<next,
            channels: first..<min(task.channels.upperBound, first &+ stripPlanes &* 16),
            ahead: ahead))
        plane = next
      }
      image = end
    }
  }

  /// Where a task sums the gradient of its weights, [plane][tap][16].
  func weightSums(
    _ part: Int, _ slab: Int, memory: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> { memory + (part &* count &+ slab) &* taps &* width }
}
