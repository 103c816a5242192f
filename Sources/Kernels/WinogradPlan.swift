/// The tiles of a 3x3 convolution of stride 1 whose output is as large as its input, and their cut
/// into blocks: rows of tiles, whose outputs are neighbouring pixels.
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
  private let rowsPerBlock: Int
  /// Blocks of the batch.
  let blocks: Int
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
    let even = least > 1 && least < 8 ? (least + 1) & ~1 : least
    let wanted = (even + groups - 1) / groups * groups
    rowsPerBlock = max(1, (rows + wanted - 1) / wanted)
    blocks = (rows + rowsPerBlock - 1) / rowsPerBlock
  }

  /// The rows of tiles of a block.
  @inline(__always) private func tileRows(_ block: Int) -> Range<Int> {
    block &* rowsPerBlock..<min(rows, (block &+ 1) &* rowsPerBlock)
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

  /// Where a tile lies.
  struct Tile {
    /// Its number within the block.
    let number: Int
    /// The first pixel of its image, and its first output row and column there.
    let image: Int
    let row: Int
    let column: Int
  }

  /// Calls `body` with every tile of a block.
  @inline(__always)
  func forEachTile(_ block: Int, _ body: (Tile) -> Void) {
    var number = 0
    for row in tileRows(block) {
      let (image, within) = row.quotientAndRemainder(dividingBy: rowsPerImage)
      for column in 0..<columns {
        body(
          Tile(
            number: number, image: image &* height &* width, row: within &* Winograd.outputs,
            column: column &* Winograd.outputs))
        number &+= 1
      }
    }
  }

  /// Writes the addresses of a square of `side` pixels from (row, column) of an image, `zeros` for
  /// those outside.
  @inline(__always)
  func writeAddresses(
    _ tile: Tile, side: Int, shift: Int, source: UnsafePointer<Float>, channels: Int,
    zeros: UnsafePointer<Float>, to addresses: UnsafeMutablePointer<RowPointer>
  ) {
    var place = addresses
    for y in tile.row &+ shift..<tile.row &+ shift &+ side {
      let isRow = y >= 0 && y < height
      let line = source + (tile.image &+ y &* width) &* channels
      for x in tile.column &+ shift..<tile.column &+ shift &+ side {
        place.pointee = isRow && x >= 0 && x < width ? line + x &* channels : zeros
        place += 1
      }
    }
  }

  /// How many of a tile's output rows and columns exist.
  @inline(__always) func extent(_ tile: Tile) -> (rows: Int, columns: Int) {
    (min(Winograd.outputs, height &- tile.row), min(Winograd.outputs, width &- tile.column))
  }

  /// A tile's first output pixel.
  @inline(__always) func pixel(_ tile: Tile) -> Int {
    tile.image &+ tile.row &* width &+ tile.column
  }

  /// Pixels from row to row.
  var pitch: Int { width }
}
