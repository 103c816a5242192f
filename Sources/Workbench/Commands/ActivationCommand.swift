import DSL
import Foundation
import Model

// `gradcam`: where in a picture the network finds a class. It only looks.

enum ActivationCommand {
  static let gradcam = Command<WorkbenchState>(
    Signature(
      "gradcam", group: "evaluation", "Shows where in a picture the network finds a class.",
      discussion: """
        Grad-CAM (Selvaraju et al., 2017) at the last feature map: the channels weighed by what they \
        mean for the class, what speaks against it left out, laid over the picture as the network \
        saw it. Without class= it is the most probable one. A vision transformer has no such map.

        A file ending in .csv gets the numbers of the map.
        """,
      positionals: [Positional("path", .path(.input), "a JPEG or PNG file")],
      keys: [
        Parameter("class", .text, "a class by its name or number; the most probable without"),
        Drawing.style,
      ],
      allowsOutput: true, effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*")],
      examples: [
        Example("gradcam dog.jpg", "in the terminal"),
        Example("gradcam dog.jpg class=3 > dog.png", "for a certain class, as a picture"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let url = state.places.input(invocation.requiredString("path"))
    let names = ClassNames(model, state.data)
    let label = try invocation.string("class").map { try classNumber($0, names, model) }
    let settings = state.settings(for: model)
    let predictor = try Predictor(
      model.network, transform: settings.evalTransform, batch: 1,
      pool: state.threadPool(settings.threads))
    let image = try ImageCodec.decode(contentsOf: url)
    guard let found = predictor.classActivation(of: image, label: label) else {
      throw CommandError(
        "\(model.variant.name) is a vision transformer: its classifier sees a token and no map",
        hint: "'features \(url.lastPathComponent)' shows the last patches")
    }
    let name = names[found.label]
    let text = "\(name), \(NumberText.percent(found.probability, 1))"
    if invocation.outputPath?.hasSuffix(".csv") ?? false {
      let map = HeatMap(title: url.lastPathComponent, label: text, rows: found.rows)
      return try Drawing.draw(map, invocation, state)
    }
    try Drawing.draw(
      sheet(found, title: url.lastPathComponent, text: text), invocation, state)
    if found.rows.joined().allSatisfy({ $0 == 0 }) {
      state.console.note("nothing in the picture speaks for \(name)")
    }
  }

  private static func classNumber(
    _ text: String, _ names: ClassNames, _ model: LoadedModel
  ) throws -> Int {
    let labels = 0..<model.classCount
    if let label = labels.first(where: { names[$0] == text }) ?? Int(text), labels.contains(label) {
      return label
    }
    throw CommandError(
      "there is no class '\(text)'",
      hint: Suggestion.didYouMean(text, among: labels.prefix(2000).map { names[$0] })
        ?? "a name, or a number below \(model.classCount)", argument: "class")
  }

  private static func sheet(_ found: ClassActivation, title: String, text: String) -> PictureSheet {
    PictureSheet(
      title: title,
      tiles: [
        .init(image: found.picture, caption: "as the network saw it"),
        .init(image: HeatOverlay.image(found.rows, over: found.picture), caption: text),
      ], columns: 2, leastEdge: 320)
  }
}

/// A map of numbers laid over a picture.
enum HeatOverlay {
  /// The picture, tinted where the map is high; the map is stretched to its size, its largest value
  /// being the strongest tint.
  static func image(_ rows: [[Float]], over picture: ImageRGB) -> ImageRGB {
    let largest = max(rows.joined().max() ?? 0, .leastNormalMagnitude)
    var pixels = picture.pixels
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let heat =
          value(
            rows, (Float(x) + 0.5) / Float(picture.width), (Float(y) + 0.5) / Float(picture.height))
          / largest
        let color = viridis(heat)
        // What shows nothing keeps half of its own light.
        let share = 0.25 + 0.4 * heat
        for channel in 0..<3 {
          let place = 3 * (y * picture.width + x) + channel
          let mixed = (1 - share) * Float(pixels[place]) + share * color[channel]
          pixels[place] = UInt8(min(max(mixed, 0), 255))
        }
      }
    }
    return ImageRGB(width: picture.width, height: picture.height, pixels: pixels)
  }

  /// The map between the middles of its cells (bilinear), at shares of its width and height.
  private static func value(_ rows: [[Float]], _ x: Float, _ y: Float) -> Float {
    func ends(_ share: Float, _ count: Int) -> (Int, Int, Float) {
      let place = min(max(share * Float(count) - 0.5, 0), Float(count - 1))
      let low = Int(place)
      return (low, min(low + 1, count - 1), place - Float(low))
    }
    let (left, right, across) = ends(x, rows[0].count)
    let (top, bottom, down) = ends(y, rows.count)
    let upper = rows[top][left] * (1 - across) + rows[top][right] * across
    let lower = rows[bottom][left] * (1 - across) + rows[bottom][right] * across
    return upper * (1 - down) + lower * down
  }

  /// The colours of `HeatMap.Palette.viridis`, for 0 to 1.
  private static func viridis(_ value: Float) -> SIMD3<Float> {
    let stops: [SIMD3<Float>] = [
      [68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37],
    ]
    let place = min(max(value, 0), 1) * Float(stops.count - 1)
    let low = min(Int(place), stops.count - 2)
    return stops[low] + (stops[low + 1] - stops[low]) * (place - Float(low))
  }
}
