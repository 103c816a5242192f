/// The tiles of a 3x3 convolution's outputs and their cut into blocks: rows of tiles, whose outputs are
/// neighbouring pixels. The input is as large, or for a stride of 2 twice as high and wide.
///
/// The cut depends on the shape alone. Tiles hang over the lower and the right edge where the sides
/// are no multiples of four.
struct WinogradPlan {
  private let height: Int
  private let width: Int
  /// Rows of tiles in an image and in all of them, and the tiles of a row.
  private let rowsPerImage: Int
  private let rows: Int
  let columns: Int
  /// Blocks of the batch, of equally many rows but for one.
  let blocks: Int
  private var rowsPerBlock: Int { (rows + blocks - 1) / max(1, blocks) }
  /// The tiles of the largest block.
  var tilesPerBlock: Int { rowsPerBlock * columns }
  /// All tiles of a batch.
  static func tiles(_ s: ConvolutionShape) -> Int {
    let side = Winograd.outputs
    return s.batch * ((s.outputHeight + side - 1) / side) * ((s.outputWidth + side - 1) / side)
  }
  /// The pixels of the largest block.
  var pixelsPerBlock: Int { rowsPerBlock * Winograd.outputs * width }

  /// Whether tiles compute this convolution in less time: it depends on the size of an image, never
  /// on how many there are, so that an image's result does not depend on the others of its batch.
  static func suits(_ s: ConvolutionShape) -> Bool {
    func tiled(_ side: Int) -> Int { (side + 3) / 4 * 4 }
    let isSame =
      s.kernel == 3 && s.stride == 1 && s.padTop == 1 && s.padLeft == 1
      && s.outputHeight == s.inputHeight && s.outputWidth == s.inputWidth
    let wanted = tiled(s.outputHeight) * tiled(s.outputWidth) * 5
    return isSame && min(s.inputChannels, s.outputChannels) >= 16
      && wanted <= s.outputHeight * s.outputWidth * 8
  }

  /// Blocks of at most about `tiles` tiles, a multiple of `groups` where there are as many.
  init(_ s: ConvolutionShape, tiles: Int, groups: Int = 1) {
    height = s.outputHeight
    width = s.outputWidth
    rowsPerImage = (height + Winograd.outputs - 1) / Winograd.outputs
    columns = (width + Winograd.outputs - 1) / Winograd.outputs
    rows = s.batch * rowsPerImage
    let limit = max(1, min(rows, tiles / columns))
    let least = (rows + limit - 1) / limit
    // Few blocks are an even number, which two threads share equally.
    let even = least > 1 && least < 64 ? (least + 1) & ~1 : least
    blocks = min(rows, (even + groups - 1) / groups * groups)
  }

  /// The rows of tiles of a block.
  @inline(__always) private func tileRows(_ block: Int) -> Range<Int> {
    block &* rows / blocks..<(block &+ 1) &* rows / blocks
  }

  /// The first pixel of a row of tiles.
  @inline(__always) private func pixel(ofRow row: Int) -> Int {
    let (image, within) = row.quotientAndRemainder(dividingBy: rowsPerImage)
    return (image &* height &+ within &* Winograd.outputs) &* width
  }

  /// The pixels of a block.
  func pixels(_ block: Int) -> Range<Int> {
    let rows = tileRows(block)
    return pixel(ofRow: rows.lowerBound)..<pixel(ofRow: rows.upperBound)
  }

  /// The tiles of a block.
  func tiles(_ block: Int) -> Int { tileRows(block).count &* columns }

  /// Where a row of tiles lies.
  struct Row {
    /// The number of its first tile within the block.
    let tile: Int
    /// The first pixel of its image, and its first row of pixels there.
    let image: Int
    let row: Int
  }

  /// Calls `body` with every row of tiles of a block.
  @inline(__always)
  func forEachRow(_ block: Int, _ body: (Row) -> Void) {
    var tile = 0
    for row in tileRows(block) {
      let (image, within) = row.quotientAndRemainder(dividingBy: rowsPerImage)
      body(
        Row(tile: tile, image: image &* height &* width, row: within &* Winograd.outputs))
      tile &+= columns
    }
  }

  /// The addresses of rows of pixels from `shift` rows behind a row of tiles on; `zeros`, as many as a
  /// row has floats, for those outside the image.
  @inline(__always)
  func rows<let count: Int>(
    _ row: Row, shift: Int, source: UnsafePointer<Float>, channels: Int,
    zeros: UnsafePointer<Float>
  ) -> InlineArray<count, RowPointer> {
    InlineArray { index in
      let y = row.row &+ shift &+ index
      return y >= 0 && y < height ? source + (row.image &+ y &* width) &* channels : zeros
    }
  }

  /// The addresses of the rows that a row of tiles reaches in an input of twice the height and width, from
  /// `padding` rows before its own on.
  @inline(__always)
  func inputRows<let count: Int>(
    _ row: Row, padding: Int, source: UnsafePointer<Float>, channels: Int,
    zeros: UnsafePointer<Float>
  ) -> InlineArray<count, RowPointer> {
    InlineArray { index in
      let y = 2 &* row.row &- padding &+ index
      let pixel = 4 &* row.image &+ 2 &* y &* width
      return y >= 0 && y < 2 &* height ? source + pixel &* channels : zeros
    }
  }

  /// The first output pixel of a row of tiles, and how many rows of pixels exist from there on.
  @inline(__always) func pixel(_ row: Row) -> Int { row.image &+ row.row &* width }
  @inline(__always) func height(_ row: Row) -> Int { height &- row.row }

  /// Pixels from row to row.
  var pitch: Int { width }
}

/// A convolution, or its transpose, that is computed block by block of tiles.
protocol TiledProduct {
  var plan: WinogradPlan { get }
  /// Floats of the transformed filters.
  var filterCount: Int { get }
  /// Floats of memory for all workers that `run` needs, and of a worker's own.
  var sharedCount: Int { get }
  var workerCount: Int { get }

  /// Transforms packed filters to `filters`.
  func transform(
    _ packed: UnsafePointer<Float>, to filters: UnsafeMutablePointer<Float>, pool: ThreadPool)

  /// target = (or += with `accumulate`) the convolution; `finish` is told of all outputs.
  func run(
    filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    shared: UnsafeMutablePointer<Float>, memory: WorkMemory, pool: ThreadPool,
    finish: (FinishedRows) -> Void)
}

/// A convolution by tiles whose blocks may be computed one by one, into other memory than its output.
protocol TiledBlocks: TiledProduct {
  /// Computes one block to `target`, where its first pixel goes; `memory` has `workerCount` floats. The
  /// next block is likely the one in that `direction`.
  func compute(
    _ block: Int, filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, zeros: UnsafePointer<Float>, direction: Int,
    memory: UnsafeMutablePointer<Float>, finish: (FinishedRows) -> Void)
}
