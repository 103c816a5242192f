/// Constant memory of a plan, at an address that does not change.
final class Table<Element> {
  let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    count = elements.count
    base = .allocate(capacity: max(1, elements.count))
    base.initialize(from: elements, count: elements.count)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }
}

/// A convolution seen as: every target pixel is a sum over taps of a source row times a matrix.
///
/// The same plan serves the forward convolution, the phases of its transpose and, with pixels as
/// the summed index, the gradient of the weights. Rows outside the image are a row of zeros.
struct GatherPlan {
  /// The most pixels that one table holds.
  static let block = 96

  /// Byte offsets of the source rows in an image, [target row][row tap], and of the columns in a
  /// row, [column tap][target column]; negative outside.
  private let rowOffsets: Table<Int>
  private let columnOffsets: Table<Int>
  /// Byte offsets of the targets.
  private let rowTargets: Table<Int>
  private let columnTargets: Table<Int>
  private let sourceImage: Int
  private let targetImage: Int
  private let targetsPerImage: Int
  private let batch: Int
  /// Bytes from the middle of a kernel to its last row.
  private let lead: Int
  private let rowTaps: Int
  private let columnTaps: Int
  private let channels: Int
  private let targetChannels: Int
  /// One tap, and every pixel in its own place: neighbours are one row apart.
  let isPlain: Bool
  /// With merged columns: where each target's window begins, and the source's width.
  private let windows: Table<Int>
  private let isMerged: Bool
  private let sourceWidth: Int

  /// Target pixels of the whole batch.
  let pixels: Int
  /// Source rows per target pixel, and the numbers of each.
  let taps: Int
  let depth: Int

  /// Plans the gathering. With `merged`, the columns of a kernel row are one tap of kernel *
  /// channels numbers: for the few channels of images.
  init(
    rows: GatherAxis, columns: GatherAxis, batch: Int, sourceHeight: Int, sourceWidth: Int,
    channels: Int, targetHeight: Int, targetWidth: Int, targetChannels: Int, merged: Bool
  ) {
    let float = MemoryLayout<Float>.stride
    let (rowSources, columnSources) = (rows.sources, columns.sources)
    let pitch = sourceWidth * channels * float
    rowOffsets = Table(rowSources.map { $0.map { $0 * pitch } ?? -1 })
    rowTargets = Table(rows.targets.map { $0 * targetWidth * targetChannels * float })
    columnTargets = Table(columns.targets.map { $0 * targetChannels * float })
    let kernel = columns.taps.count
    let targets = columns.targets.indices
    if merged {
      // The first column of a window, in the image or before it.
      let starts = targets.map { target in
        let window = columnSources[target * kernel..<(target + 1) * kernel]
        let known = window.firstIndex { $0 != nil } ?? window.startIndex
        return (window[known] ?? 0) - (known - window.startIndex)
      }
      windows = Table(starts)
      columnOffsets = Table(
        starts.map { $0 >= 0 && $0 + kernel <= sourceWidth ? $0 * channels * float : -1 })
    } else {
      windows = Table([])
      columnOffsets = Table(
        (0..<kernel).flatMap { tap in
          targets.map { columnSources[$0 * kernel + tap].map { $0 * channels * float } ?? -1 }
        })
    }
    rowTaps = rows.taps.count
    columnTaps = merged ? 1 : kernel
    depth = merged ? kernel * channels : channels
    taps = rowTaps * columnTaps
    pixels = batch * rows.targets.count * columns.targets.count
    isPlain =
      rowSources == (0..<sourceHeight).map { $0 } && rows.targets == rowSources
      && columnSources == (0..<sourceWidth).map { $0 } && columns.targets == columnSources
    sourceImage = sourceHeight * pitch
    targetsPerImage = rows.targets.count * columns.targets.count
    self.batch = batch
    lead = rows.taps.count / 2 * pitch
    targetImage = targetHeight * targetWidth * targetChannels * float
    self.channels = channels
    self.targetChannels = targetChannels
    self.sourceWidth = sourceWidth
    isMerged = merged
  }

  /// How many floats of the source were read when the pixels before `pixel` are done: a kernel moves
  /// over the source evenly, half of it ahead.
  @inline(__always)
  func readBefore(_ pixel: Int) -> Int {
    min(pixel &* sourceImage / targetsPerImage &+ lead, batch &* sourceImage) / 4
  }

  /// Floats of patch memory that `fill` needs.
  var patchCount: Int { isMerged ? Self.block * taps * depth : 0 }

  /// Writes the source rows of the pixels first ..< first + count to table[tap * block + pixel]
  /// and their targets to `targets`, and pads both with `overhang` harmless entries.
  func fill(
    first: Int, count: Int, source: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>,
    zeros: UnsafePointer<Float>, spare: UnsafeMutablePointer<Float>, overhang: Int,
    patches: UnsafeMutablePointer<Float>, table: UnsafeMutablePointer<RowPointer>,
    targets: UnsafeMutablePointer<TargetPointer>
  ) {
    if isPlain {
      for pixel in 0..<count {
        table[pixel] = source + (first &+ pixel) &* channels
        targets[pixel] = target + (first &+ pixel) &* targetChannels
      }
    } else {
      fillRuns(first, count, source, target, zeros, patches, table, targets)
    }
    for pixel in count..<count &+ overhang {
      for tap in 0..<taps { table[tap &* Self.block &+ pixel] = zeros }
      targets[pixel] = spare
    }
  }

  /// `fill` by runs of pixels that share an image row.
  private func fillRuns(
    _ first: Int, _ count: Int, _ source: UnsafePointer<Float>,
    _ target: UnsafeMutablePointer<Float>, _ zeros: UnsafePointer<Float>,
    _ patches: UnsafeMutablePointer<Float>, _ table: UnsafeMutablePointer<RowPointer>,
    _ targets: UnsafeMutablePointer<TargetPointer>
  ) {
    let (rowBase, columnBase) = (rowOffsets.base, columnOffsets.base)
    let (rowTargetBase, columnTargetBase) = (rowTargets.base, columnTargets.base)
    let (height, width) = (rowTargets.count, columnTargets.count)
    let (rowTaps, columnTaps) = (rowTaps, columnTaps)
    let image = first / (height &* width)
    let rest = first &- image &* height &* width
    var row = rest / width
    var column = rest &- row &* width
    var imageSource = Int(bitPattern: source) &+ image &* sourceImage
    var imageTarget = Int(bitPattern: target) &+ image &* targetImage
    var done = 0
    while done < count {
      let run = min(width &- column, count &- done)
      var tap = 0
      for r in 0..<rowTaps {
        let rowOffset = rowBase[row &* rowTaps &+ r]
        for c in 0..<columnTaps {
          let entries = table + (tap &* Self.block &+ done)
          if rowOffset < 0 {
            for k in 0..<run { entries[k] = zeros }
          } else {
            writeAddresses(
              entries, run, base: imageSource &+ rowOffset,
              offsets: columnBase + (c &* width &+ column), outside: Int(bitPattern: zeros))
          }
          tap &+= 1
        }
        if isMerged && rowOffset >= 0 {
          for k in 0..<run where columnBase[column &+ k] < 0 {
            let patch = patches + ((done &+ k) &* rowTaps &+ r) &* depth
            copyWindow(imageSource &+ rowOffset, column &+ k, patch)
            table[r &* Self.block &+ done &+ k] = UnsafePointer(patch)
          }
        }
      }
      writeAddresses(
        targets + done, run, base: imageTarget &+ rowTargetBase[row],
        offsets: columnTargetBase + column, outside: 0)
      done &+= run
      column = 0
      row &+= 1
      if row == height {
        row = 0
        imageSource &+= sourceImage
        imageTarget &+= targetImage
      }
    }
  }

  /// entries[k] = base + offsets[k], or `outside` where the offset is negative.
  @inline(__always)
  private func writeAddresses<Pointer>(
    _ entries: UnsafeMutablePointer<Pointer>, _ count: Int, base: Int,
    offsets: UnsafePointer<Int>, outside: Int
  ) {
    let addresses = UnsafeMutableRawPointer(entries)
    var k = 0
    while k < count {
      let address = offsets[k] >= 0 ? base &+ offsets[k] : outside
      addresses.storeBytes(of: address, toByteOffset: k &* 8, as: Int.self)
      k &+= 1
    }
  }

  /// Copies the window of a target column that hangs over the image's edge, zeros outside.
  private func copyWindow(_ row: Int, _ column: Int, _ patch: UnsafeMutablePointer<Float>) {
    guard let source = UnsafePointer<Float>(bitPattern: row) else { return }
    let start = windows.base[column]
    for tap in 0..<depth / channels {
      let place = start &+ tap
      let inside = place >= 0 && place < sourceWidth
      for channel in 0..<channels {
        patch[tap &* channels &+ channel] = inside ? source[place &* channels &+ channel] : 0
      }
    }
  }
}

extension GatherPlan {
  /// The plan of the forward convolution: output pixels gather from the input.
  static func forward(_ s: ConvolutionShape, merged: Bool) -> Self {
    let axes = s.forwardAxes
    return Self(
      rows: axes.rows, columns: axes.columns, batch: s.batch, sourceHeight: s.inputHeight,
      sourceWidth: s.inputWidth, channels: s.inputChannels, targetHeight: s.outputHeight,
      targetWidth: s.outputWidth, targetChannels: s.outputChannels, merged: merged)
  }

  /// The plans of the transposed convolution, one per phase of the stride, with the kernel taps
  /// that each uses: input pixels gather from the output's gradient.
  static func backwardPhases(_ s: ConvolutionShape) -> [(plan: Self, taps: [Int])] {
    s.backwardAxes.map { axes in
      let plan = Self(
        rows: axes.rows, columns: axes.columns, batch: s.batch, sourceHeight: s.outputHeight,
        sourceWidth: s.outputWidth, channels: s.outputChannels, targetHeight: s.inputHeight,
        targetWidth: s.inputWidth, targetChannels: s.inputChannels, merged: false)
      let taps = axes.rows.taps.flatMap { row in
        axes.columns.taps.map { row.index * s.kernel + $0.index }
      }
      return (plan, taps)
    }
  }
}
