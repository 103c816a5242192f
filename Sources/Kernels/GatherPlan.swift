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

/// One axis (rows or columns) of a gather plan.
struct GatherAxis {
  /// The targets along the axis.
  var targets: [Int]
  /// The kernel taps that are used, by their index along the axis.
  var taps: [Int]
  /// sources[target * taps.count + tap]: the source index, or nil in the padding.
  var sources: [Int?]

  /// The axis of a forward convolution: target o reads source o * stride - pad + tap.
  static func forward(outputs: Int, inputs: Int, kernel: Int, stride: Int, pad: Int) -> Self {
    var axis = Self(targets: Array(0..<outputs), taps: Array(0..<kernel), sources: [])
    for output in 0..<outputs {
      for tap in 0..<kernel {
        let input = output * stride - pad + tap
        axis.sources.append(input >= 0 && input < inputs ? input : nil)
      }
    }
    return axis
  }

  /// The axis of one phase of the transposed convolution: the inputs phase, phase + stride, ...
  /// are reached by the same taps.
  static func backward(
    outputs: Int, inputs: Int, kernel: Int, stride: Int, pad: Int, phase: Int
  ) -> Self {
    var axis = Self(targets: [], taps: [], sources: [])
    axis.taps = (0..<kernel).filter { (phase + pad - $0) % stride == 0 }
    axis.targets = Array(Swift.stride(from: phase, to: inputs, by: stride))
    for input in axis.targets {
      for tap in axis.taps {
        let output = (input + pad - tap) / stride
        let exists = input + pad >= tap && output < outputs
        axis.sources.append(exists ? output : nil)
      }
    }
    return axis
  }
}

/// A convolution seen as: every target pixel is a sum over taps of a source row times a matrix.
///
/// The same plan serves the forward convolution, the phases of its transpose and, with pixels as
/// the summed index, the gradient of the weights. Rows outside the image are a row of zeros.
struct GatherPlan {
  /// The most pixels that one table holds.
  static let block = 96

  private let rowOffsets: Table<Int>
  private let columnOffsets: Table<Int>
  private let rowTargets: Table<Int>
  private let columnTargets: Table<Int>
  private let sourceImage: Int
  private let targetImage: Int
  private let rowTaps: Int
  private let columnTaps: Int
  /// For merged columns: the first source column of each target column, the source width.
  private let columnStarts: Table<Int>
  private let sourceWidth: Int
  private let channels: Int
  private let isMerged: Bool

  /// Target pixels of the whole batch.
  let pixels: Int
  /// Source rows per target pixel, and the numbers of each.
  let taps: Int
  let depth: Int

  /// An offset so negative that no sum with another one is a place in an image.
  private static let outside = -(1 << 50)

  /// Plans the gathering. With `merged`, the columns of a kernel row are one tap of kernel *
  /// channels numbers: for the few channels of images.
  init(
    rows: GatherAxis, columns: GatherAxis, batch: Int, sourceHeight: Int, sourceWidth: Int,
    channels: Int, targetHeight: Int, targetWidth: Int, targetChannels: Int, merged: Bool
  ) {
    let pitch = sourceWidth * channels
    rowOffsets = Table(rows.sources.map { $0.map { $0 * pitch } ?? Self.outside })
    rowTargets = Table(rows.targets.map { $0 * targetWidth * targetChannels })
    columnTargets = Table(columns.targets.map { $0 * targetChannels })
    let kernel = columns.taps.count
    if merged {
      // The first column of a window, in the image or before it.
      let starts = columns.targets.indices.map { target in
        let window = columns.sources[target * kernel..<(target + 1) * kernel]
        let known = window.firstIndex { $0 != nil } ?? window.startIndex
        return (window[known] ?? 0) - (known - window.startIndex)
      }
      columnStarts = Table(starts)
      columnOffsets = Table(
        starts.map { $0 >= 0 && $0 + kernel <= sourceWidth ? $0 * channels : Self.outside })
    } else {
      columnStarts = Table([])
      columnOffsets = Table(columns.sources.map { $0.map { $0 * channels } ?? Self.outside })
    }
    rowTaps = rows.taps.count
    columnTaps = merged ? 1 : kernel
    depth = merged ? kernel * channels : channels
    taps = rowTaps * columnTaps
    pixels = batch * rows.targets.count * columns.targets.count
    sourceImage = sourceHeight * pitch
    targetImage = targetHeight * targetWidth * targetChannels
    self.sourceWidth = sourceWidth
    self.channels = channels
    isMerged = merged
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
    let (rowBase, columnBase) = (rowOffsets.base, columnOffsets.base)
    let (rowTargetBase, columnTargetBase) = (rowTargets.base, columnTargets.base)
    let (height, width) = (rowTargets.count, columnTargets.count)
    let (rowTaps, columnTaps) = (rowTaps, columnTaps)
    let (firstImage, rest) = first.quotientAndRemainder(dividingBy: height &* width)
    var row = rest / width
    var column = rest &- row &* width
    var imageSource = source + firstImage &* sourceImage
    var imageTarget = target + firstImage &* targetImage
    for pixel in 0..<count {
      let rowOffset = rowBase + row &* rowTaps
      let columnOffset = columnBase + column &* columnTaps
      var entry = table + pixel
      for r in 0..<rowTaps {
        for c in 0..<columnTaps {
          let offset = rowOffset[r] &+ columnOffset[c]
          if isMerged && offset < 0 && rowOffset[r] >= 0 {
            let patch = patches + (pixel &* rowTaps &+ r) &* depth
            copyWindow(imageSource + rowOffset[r], columnStarts.base[column], patch)
            entry.pointee = UnsafePointer(patch)
          } else {
            entry.pointee = offset >= 0 ? imageSource + offset : zeros
          }
          entry += Self.block
        }
      }
      targets[pixel] = imageTarget + (rowTargetBase[row] &+ columnTargetBase[column])
      column &+= 1
      if column == width {
        column = 0
        row &+= 1
        if row == height {
          row = 0
          imageSource += sourceImage
          imageTarget += targetImage
        }
      }
    }
    for pixel in count..<count &+ overhang {
      for tap in 0..<taps { table[tap &* Self.block &+ pixel] = zeros }
      targets[pixel] = spare
    }
  }

  /// Copies a window that hangs over the image's edge, with zeros outside.
  private func copyWindow(
    _ row: UnsafePointer<Float>, _ start: Int, _ patch: UnsafeMutablePointer<Float>
  ) {
    let kernel = depth / channels
    for tap in 0..<kernel {
      let column = start &+ tap
      let inside = column >= 0 && column < sourceWidth
      for channel in 0..<channels {
        patch[tap &* channels &+ channel] = inside ? row[column &* channels &+ channel] : 0
      }
    }
  }
}
