include RBA

view = LayoutView.new
{
  "background-color" => $background == "white" ? "#ffffff" : "#000000",
  "grid-visible" => $grid.to_s,
  "ruler-visible" => $ruler.to_s,
  "text-visible" => $text.to_s,
}.each { |name, value| view.set_config(name, value) }

view.load_layout($gds, true)
cell = view.active_cellview.layout.cell($design)
raise "the GDS has no cell #{$design}" if cell.nil?
view.active_cellview.cell = cell
view.max_hier

if $properties
  view.load_layer_props($properties)
  view.add_missing_layers
else
  # Without colours of the PDK: what is in the cells pale, and the wires upon it in colours that can be told apart. Wires
  # are the layers of the map from DEF, which has them from the lowest to the highest.
  wires = File.readlines($map, chomp: true).map(&:split).select do |words|
    words.size >= 4 && !words[0].start_with?("#", "NAME", "DIEAREA", "OUTLINE", "COMP")
  end
  wires = wires.map { |words| words[-2, 2].map(&:to_i) }.uniq
  pale = [0xe8e0c8, 0xc8dcc8, 0xe0c8c8, 0xc8c8c8, 0xd8c8e0, 0xc8dce4]
  strong = [0x4477aa, 0x222222, 0xee6677, 0x222222, 0x228833, 0x222222, 0xee7733, 0x222222, 0xaa3377, 0x222222, 0x009988]
  layers = view.active_cellview.layout.layer_infos.map { |info| [info.layer, info.datatype] }
  order = (layers - wires).sort + wires.select { |wire| layers.include?(wire) }
  # As a file: of layers that are inserted one by one, KLayout 0.28 does not take the colours.
  properties = order.map do |layer|
    upon = wires.index(layer)
    colour = upon ? strong[upon % strong.size] : pale[order.index(layer) % pale.size]
    colour = format("#%06x", colour)
    "<properties><frame-color>#{colour}</frame-color><fill-color>#{colour}</fill-color><dither-pattern>I0</dither-pattern>" \
      "<visible>true</visible><width>1</width><source>#{layer[0]}/#{layer[1]}@1</source></properties>"
  end
  File.write("layers.lyp", "<layer-properties>#{properties.join}</layer-properties>")
  view.load_layer_props("layers.lyp")
end

box = cell.dbbox
raise "there is nothing in the cell #{$design}" if box.empty?
margin = 0.02 * [box.width, box.height].max
box = box.enlarged(margin, margin)
# As high as the layout is for its width, between a strip and a tower.
height = ($width * box.height / box.width).round.clamp($width / 4, $width * 2)
view.zoom_box(box)
view.save_image_with_options($png, $width, height, 0, $oversampling, 0.0, box, false)
