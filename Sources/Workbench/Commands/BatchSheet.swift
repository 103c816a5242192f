import DSL
import Foundation
import Model

/// `show batch`: the pictures of a training batch as the network is shown them.
enum BatchSheet {
  /// The keys of `show` that it takes.
  static let keys = [
    Parameter("epoch", .integer(.from(1)), "show batch: the epoch, from 1", default: "1"),
    Parameter(
      "batch", .integer(.from(1)), "show batch: the batch of the epoch, from 1", default: "1"),
    Drawing.style,
  ]

  /// More pictures than these are left out of a sheet.
  private static let limit = 64

  static func show(_ invocation: Invocation, _ state: WorkbenchState) throws {
    let model = try state.requireModel()
    let data = try state.requireData()
    let settings = state.settings(for: model)
    if let conflict = settings.values.conflict { throw conflict }
    let epoch = invocation.integer("epoch") ?? 1
    let batch = invocation.integer("batch") ?? 1
    let total = settings.schedule.totalEpochs
    guard epoch <= total else {
      throw CommandError("the training has \(total) epochs", argument: "epoch")
    }
    let pictures = try BatchPreview.pictures(
      of: data.source.train, settings: settings, epoch: epoch - 1, batch: batch - 1)
    guard !pictures.isEmpty else {
      throw CommandError("epoch \(epoch) has no batch \(batch)", argument: "batch")
    }
    let names = ClassNames(model, data)
    var title = "\(data.source.name), seed \(settings.seed), epoch \(epoch), batch \(batch)"
    if pictures.count > limit { title += ": the first \(limit) of \(pictures.count)" }
    let tiles = pictures.prefix(limit).map { picture in
      PictureSheet.Tile(image: picture.image, caption: caption(picture, names))
    }
    try Drawing.draw(
      PictureSheet(title: title, tiles: tiles, columns: 8), invocation, state)
  }

  /// `cat`, or `cat .70 + dog .30` where two are mixed.
  private static func caption(_ picture: BatchPreview.Picture, _ names: ClassNames) -> String {
    let percent = Int((100 * picture.share).rounded())
    if picture.partner == picture.label || percent == 100 { return names[picture.label] }
    if percent == 0 { return names[picture.partner] }
    func part(_ label: Int, _ percent: Int) -> String {
      "\(names[label].truncated(to: 10)) \(NumberText.fixed(Double(percent) / 100, 2).dropFirst())"
    }
    return part(picture.label, percent) + " + " + part(picture.partner, 100 - percent)
  }
}
