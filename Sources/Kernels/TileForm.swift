/// The two kinds of tiles by which 3x3 convolutions are computed.
enum TileForm {
  /// Of stride 1: `Winograd`.
  case plain
  /// Of stride 2: `PhaseTiles`, where filters of one tap, the first of two, have no value at the last point.
  case phased

  /// The tiles that compute a convolution in less time than a plain sum. It depends on the size of an image,
  /// never on how many there are, so that an image's result does not depend on the others of its batch.
  init?(_ s: ConvolutionShape) {
    if WinogradPlan.suits(s) {
      self = .plain
    } else if PhaseTiles.suits(s) {
      self = .phased
    } else {
      return nil
    }
  }

  /// The zeros that a row outside an image takes, of the input or of the output.
  static func zeroCount(_ s: ConvolutionShape) -> Int {
    max(s.inputWidth, s.outputWidth) * max(s.inputChannels, s.outputChannels)
  }

  /// Products of a tile.
  var products: Int { self == .plain ? Winograd.products : PhaseTiles.products }
  /// The channels of a tile's values for each of the input's.
  var phases: Int { self == .plain ? 1 : 4 }
  /// The values of a filter.
  var filterValues: Int { self == .plain ? Winograd.products : PhaseTiles.filterValues }
  /// The pixels of the input for each of the output.
  var inputPixels: Int { self == .plain ? 1 : 4 }

  /// The part of `count` things that is fetched while a product is computed.
  @inline(__always)
  func share(_ product: Int, of count: Int) -> Range<Int> {
    product &* count / products..<(product &+ 1) &* count / products
  }

  /// The phases whose filters have a value for a product.
  @inline(__always)
  func phases(_ product: Int) -> Range<Int> {
    self == .plain ? 0..<1 : PhaseTiles.phases(product, missing: PhaseTiles.points - 1)
  }
}

/// The outputs of a tile from its products.
struct TileOutputs: ChannelGroup {
  let form: TileForm
  /// Products are `step` floats apart.
  let products: UnsafePointer<Float>
  let step: Int
  let target: UnsafeMutablePointer<Float>
  /// Floats from row to row and from pixel to pixel.
  let pitch: Int
  let channels: Int
  /// The rows and columns that exist from there on.
  let rows: Int
  let columns: Int
  let accumulate: Bool
  /// Whether rows, and columns, of phased tiles have no product at the `missing` point.
  var isSingleRow = false
  var isSingleColumn = false
  var missing = 0

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let target = target + c
    if rows >= Winograd.outputs && columns >= Winograd.outputs && !accumulate {
      return transform(L.self, c) { ($2 as L).store(target + ($0 &* pitch &+ $1 &* channels)) }
    }
    transform(L.self, c) {
      guard $0 < rows, $1 < columns else { return }
      let place = target + ($0 &* pitch &+ $1 &* channels)
      (accumulate ? L.load(place) + $2 : $2 as L).store(place)
    }
  }

  @inline(__always)
  private func transform<L: Lanes>(
    _: L.Type, _ c: Int, _ emit: (_ row: Int, _ column: Int, L) -> Void
  ) {
    switch form {
    case .plain: transformSquare(winogradOutput, { load($0 &* Winograd.inputs &+ $1, c) }, emit)
    case .phased:
      transformSquare(
        phaseOutput,
        {
          isSingleRow && $0 == missing || isSingleColumn && $1 == missing
            ? L(splat: 0) : load($0 &* PhaseTiles.points &+ $1, c)
        }, emit)
    }
  }

  @inline(__always)
  private func load<L: Lanes>(_ product: Int, _ c: Int) -> L {
    let place = products + (product &* step &+ c)
    if form == .phased { L.fetch(place + Winograd.ahead) }
    return L.load(place)
  }
}

/// The gradients of a tile's products from those of its outputs.
struct TileOutputGradients: ChannelGroup {
  let form: TileForm
  /// The rows of pixels of the tile, where in them its first pixel is, and the floats of a pixel.
  let rows: InlineArray<4, RowPointer>
  let first: Int
  let channels: Int
  /// The columns that exist from there on.
  let columns: Int
  /// Products are `step` floats apart.
  let products: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let offset = first &+ c
    if columns >= Winograd.outputs {
      return transform(c) { L.load(rows[$0] + (offset &+ $1 &* channels)) }
    }
    transform(c) {
      $1 < columns ? L.load(rows[$0] + (offset &+ $1 &* channels)) : L(splat: 0)
    }
  }

  @inline(__always)
  private func transform<L: Lanes>(_ c: Int, _ load: (_ row: Int, _ column: Int) -> L) {
    switch form {
    case .plain:
      transformSquare(winogradOutputTransposed, load) {
        store($2, $0 &* Winograd.inputs &+ $1, c)
      }
    case .phased:
      transformSquare(phaseOutputTransposed, load) {
        store($2, $0 &* PhaseTiles.points &+ $1, c)
      }
    }
  }

  @inline(__always)
  private func store<L: Lanes>(_ value: L, _ product: Int, _ c: Int) {
    let place = products + (product &* step &+ c)
    L.fetchToWrite(place + Winograd.ahead)
    value.store(place)
  }
}
