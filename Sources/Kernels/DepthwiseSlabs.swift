/// How a depthwise convolution is cut in training: parts of the images times slabs of channels.
///
/// A slab of a few images fits a core's cache, so that between norms nothing goes through memory:
/// the normalised input is computed into it, convolved, and in backward turned into the gradients
/// of both. Its channels lie in planes of sixteen.
struct DepthwiseSlabs {
  /// Floats of a slab, counted with zeros on all sides of its images: four of them share a cache of a
  /// megabyte. Planes share some of these zeros, but small images do best in slabs that narrow.
  private static let size = 63_000

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
  private let planes: Int
  private let workerCount: Int
  /// The parts' sums of weight gradients.
  let sumsCount: Int
  let scratchCount: Int

  init(_ shape: ConvolutionShape, threads: Int) {
    batch = shape.batch
    inputPixels = shape.inputHeight * shape.inputWidth
    outputPixels = shape.outputHeight * shape.outputWidth
    let channels = shape.inputChannels
    let images = max(1, min(batch, 64 / inputPixels))
    let cells = (shape.inputHeight + shape.kernel - 1) * (shape.inputWidth + shape.kernel - 1)
    let fitting = Self.size / (images * cells)
    let widest = max(16, fitting >= 64 ? fitting & ~63 : fitting & ~15)
    let groups = (batch + images - 1) / images
    imagesPerPart = (groups + 15) / 16 * images
    parts = (batch + imagesPerPart - 1) / imagesPerPart
    // Narrower ones where there would be so few tasks that threads wait for the last.
    let wanted = min((8 + parts - 1) / parts, channels / 64)
    let slabs = max(wanted, (channels + widest - 1) / widest)
    width = ((channels + slabs - 1) / slabs + 15) & ~15
    count = (channels + width - 1) / width
    planes = width / 16

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
    let floats = planes * (input.count + gradient.count + 2 * plain.count)
    workerCount = floats + (taps + 3 * planes) * 16
    sumsCount = parts * count * taps * width
    scratchCount = sumsCount + workerCount * threads
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
    /// Slabs of the input, of the output's gradient, and two without zeros around their images.
    let input: ChannelSlab
    let gradient: ChannelSlab
    let first: ChannelSlab
    let second: ChannelSlab
    /// Room for a plane's weights, and for the moments of every plane.
    let weights: UnsafeMutablePointer<Float>
    let moments: UnsafeMutablePointer<Float>
  }

  /// Writes the zeros around the images of all workers' planes, which their tasks leave alone.
  func clearMargins(_ memory: UnsafeMutablePointer<Float>, _ pool: ThreadPool, backward: Bool) {
    pool.run(pool.threads) { worker in
      let slabs = memory + sumsCount + worker &* workerCount
      ChannelSlab(slabs, input).clearMargins(input, planes: planes)
      guard backward else { return }
      ChannelSlab(slabs + planes &* input.count, gradient)
        .clearMargins(gradient, planes: planes)
    }
  }

  func task(_ index: Int, channels: Int, worker: Int, memory: UnsafeMutablePointer<Float>) -> Task {
    let (part, slab) = (index / count, index % count)
    let first = part &* imagesPerPart
    let slabChannels = slab &* width..<min(channels, (slab &+ 1) &* width)
    var next = memory + sumsCount + worker &* workerCount
    func take(_ plane: PaddedPlane) -> ChannelSlab {
      defer { next += planes &* plane.count }
      return ChannelSlab(next, plane)
    }
    return Task(
      part: part, slab: slab, images: first..<min(batch, first &+ imagesPerPart),
      channels: slabChannels, planes: (slabChannels.count &+ 15) / 16, input: take(input),
      gradient: take(gradient), first: take(plain), second: take(plain), weights: next,
      moments: next + taps &* 16)
  }

  /// Calls `body` with the first image and the number of each group that shares a task's slabs.
  @inline(__always)
  func forEachGroup(_ task: Task, _ body: (_ image: Int, _ count: Int) -> Void) {
    var image = task.images.lowerBound
    while image < task.images.upperBound {
      let count = min(images, task.images.upperBound &- image)
      body(image, count)
      image &+= count
    }
  }

  /// Where a task sums the gradient of its weights, [plane][tap][16].
  func weightSums(
    _ part: Int, _ slab: Int, memory: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> { memory + (part &* count &+ slab) &* taps &* width }
}
