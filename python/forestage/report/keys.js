"use strict";

/** Keys for the chart that has the focus: what a mouse does by dragging and by clicks on the legend. */
document.addEventListener("keydown", event => {
  const plot = event.target.closest(".chart")?.querySelector(".js-plotly-plot");
  if (!plot || event.ctrlKey || event.altKey || event.metaKey) return;
  const [start, end] = plot._fullLayout.xaxis.range;
  plot.home ??= [start, end];
  const show = (centre, span) => Plotly.relayout(plot, { "xaxis.range": [centre - span / 2, centre + span / 2] });
  const [centre, span] = [(start + end) / 2, end - start];
  const actions = {
    "+": () => show(centre, span / 1.5),
    "-": () => show(centre, span * 1.5),
    ArrowLeft: () => show(centre - span / 5, span),
    ArrowRight: () => show(centre + span / 5, span),
    0: () => Plotly.relayout(plot, { "xaxis.range": plot.home }),
  };
  const line = plot.data[Number(event.key) - 1];
  if (line?.type === "scatter")
    actions[event.key] = () =>
      Plotly.restyle(plot, { visible: line.visible === "legendonly" ? true : "legendonly" }, [Number(event.key) - 1]);
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});
