/// The pixels of a few images, sixteen channels of each side by side, with zeros around every image
/// as far as a kernel reaches beyond it: who sums over taps never asks whether a source exists. The
/// zeros behind a row or an image are those before the next.
struct PaddedPlane {
  /// Floats of the plane: an odd number of cache lines, so that the planes of neighbouring channels
  /// do not meet in the same place of a cache.
  let count: Int
  /// Floats between two rows of an image.
  let pitch: Int
  /// Where each pixel's numbers begin, image by image.
  let pixels: Table<Int32>
  /// The stretches of zeros.
  let margins: Table<Range<Int>>
  private let image: Int
  private let origin: Int

  /// The zeros before and behind the pixels of an axis.
  struct Margin {
    var before = 0
    var behind = 0

    /// As many zeros as the widest of some margins has on each side.
    static func widest(_ margins: [Self]) -> Self {
      Self(
        before: margins.map(\.before).max() ?? 0, behind: margins.map(\.behind).max() ?? 0)
    }
  }

  init(
    images: Int, height: Int, width: Int, rows: Margin = Margin(), columns: Margin = Margin()
  ) {
    pitch = (width + max(columns.before, columns.behind)) * 16
    image = (height + max(rows.before, rows.behind)) * pitch
    origin = rows.before * pitch + columns.before * 16
    let behind = rows.behind * pitch + columns.behind * 16
    let last = origin + (images - 1) * image + (height - 1) * pitch + width * 16
    count = last + behind | 16
    var places: [Int32] = []
    var zeros: [Range<Int>] = []
    var end = 0
    for index in 0..<images {
      for row in 0..<height {
        let start = index * image + origin + row * pitch
        zeros.append(end..<start)
        end = start + width * 16
        places += stride(from: start, to: end, by: 16).map { Int32($0) }
      }
    }
    zeros.append(end..<count)
    pixels = Table(places)
    margins = Table(zeros.filter { !$0.isEmpty })
  }

  /// Where a pixel, or a place in the margin, of an image begins.
  func place(image index: Int, row: Int, column: Int) -> Int {
    index * image + origin + row * pitch + column * 16
  }
}

/// Planes of a slab of channels, one behind the other.
struct ChannelSlab {
  let base: UnsafeMutablePointer<Float>
  /// The plane's pixels.
  let pixels: UnsafePointer<Int32>
  /// Floats between planes.
  let distance: Int

  init(_ base: UnsafeMutablePointer<Float>, _ plane: PaddedPlane) {
    self.base = base
    pixels = UnsafePointer(plane.pixels.base)
    distance = plane.count
  }

  /// The first channel of a pixel.
  @inline(__always)
  func pixel(_ index: Int) -> UnsafeMutablePointer<Float> { base + Int(pixels[index]) }

  /// How far a channel of the slab lies behind the first one of its pixel.
  @inline(__always)
  func offset(_ channel: Int) -> Int { (channel &>> 4) &* distance &+ (channel & 15) }

  /// Writes the zeros around the images of `planes` planes.
  func clearMargins(_ plane: PaddedPlane, planes: Int) {
    let (margins, stretches) = (plane.margins.base, plane.margins.count)
    for index in 0..<planes {
      for stretch in 0..<stretches {
        let zeros = margins[stretch]
        var place = base + (index &* distance &+ zeros.lowerBound)
        let end = base + (index &* distance &+ zeros.upperBound)
        while place < end {
          Vector.zero.store(place)
          place += 16
        }
      }
    }
  }
}

/// Sums over taps on padded planes: a depthwise convolution, or a phase of its transpose.
struct DepthwisePass {
  /// The tables' addresses and sizes, for inner loops, which must not count references.
  struct Addresses {
    /// The kernel tap that each tap is, and the floats from a target's place to its source.
    let taps: UnsafePointer<Int>
    let offsets: UnsafePointer<Int>
    let tapCount: Int
    /// Every target's place in the plane of sources, and its number among all pixels.
    let sources: UnsafePointer<Int32>
    let targets: UnsafePointer<Int32>
    let targetsPerImage: Int
    /// The neighbours in a row that may be computed together, 4, 2 or 7, where the kernel is 3x3 and moves
    /// by one pixel, or 0; then also the floats from a target's place to the first source in memory,
    /// between rows of sources, and the kernel taps in the order of their sources.
    let run: Int
    let corner: Int
    let rowPitch: Int
    let grid: UnsafePointer<Int>
  }

  let addresses: Addresses
  private let tables: (Table<Int>, Table<Int>, Table<Int32>, Table<Int32>, Table<Int>)

  /// - Parameters:
  ///   - plane: where the sources are.
  ///   - width: the columns of a target image, and `pixels` all its pixels.
  init(
    rows: GatherAxis, columns: GatherAxis, kernel: Int, plane: PaddedPlane, images: Int,
    width: Int, pixels: Int
  ) {
    var taps: [Int] = []
    var offsets: [Int] = []
    for row in rows.usefulTaps {
      for column in columns.usefulTaps {
        taps.append(row.index * kernel + column.index)
        offsets.append(row.offset * plane.pitch + column.offset * 16)
      }
    }
    var sources: [Int32] = []
    var targets: [Int32] = []
    for image in 0..<images {
      for (i, row) in rows.targets.enumerated() {
        for (j, column) in columns.targets.enumerated() {
          let place = plane.place(image: image, row: rows.step * i, column: columns.step * j)
          sources.append(Int32(place))
          targets.append(Int32(image * pixels + row * width + column))
        }
      }
    }
    let order = offsets.indices.sorted { offsets[$0] < offsets[$1] }
    let corner = order.first.map { offsets[$0] } ?? 0
    let isSquare =
      kernel == 3 && rows.step == 1 && columns.step == 1
      && columns.targets == Array(0..<width)
      && order.map { offsets[$0] - corner }
        == (0..<9).map { $0 / 3 * plane.pitch + $0 % 3 * 16 }
    tables = (
      Table(taps), Table(offsets), Table(sources), Table(targets), Table(order.map { taps[$0] })
    )
    addresses = Addresses(
      taps: tables.0.base, offsets: tables.1.base, tapCount: taps.count, sources: tables.2.base,
      targets: tables.3.base, targetsPerImage: rows.targets.count * columns.targets.count,
      run: isSquare ? [4, 2, 7].first { width % $0 == 0 } ?? 0 : 0, corner: corner,
      rowPitch: plane.pitch, grid: tables.4.base)
  }
}
