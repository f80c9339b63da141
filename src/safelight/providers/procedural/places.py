"""Which steps each place is painted in, from far to near."""

from __future__ import annotations

from collections.abc import Callable

from safelight.providers.procedural.abstract import paint_abstract
from safelight.providers.procedural.backdrop import paint_cloister, paint_studio
from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.city import paint_skyline
from safelight.providers.procedural.colour import rgb
from safelight.providers.procedural.dunes import paint_dunes
from safelight.providers.procedural.forest import cast_rays, paint_tree_row, paint_woods
from safelight.providers.procedural.hills import paint_hills
from safelight.providers.procedural.land import paint_beach, paint_hill
from safelight.providers.procedural.materials import GRASS, PINE, SAND
from safelight.providers.procedural.meadow import paint_foreground
from safelight.providers.procedural.mountains import paint_mountains
from safelight.providers.procedural.road import paint_road
from safelight.providers.procedural.scene import Scene
from safelight.providers.procedural.sky import paint_sky
from safelight.providers.procedural.space import paint_nebula, paint_planet
from safelight.providers.procedural.subjects import paint_people, paint_subject
from safelight.providers.procedural.water import paint_swell, paint_water
from safelight.providers.procedural.weather import strike_lightning

ON_LAND = {
    *("cat", "dog", "fox", "deer", "horse", "monk", "car"),
    *("house", "tent", "windmill", "castle", "tree", "flower", "cactus", "palm"),
}
Step = Callable[[Canvas, Scene], None]


def steps_for(scene: Scene) -> list[tuple[str, Step]]:
    """Named steps for the scene; people stand before everything else."""
    people: list[tuple[str, Step]] = [("people", paint_people)] if "portrait" in scene.subjects else []
    return _steps_of_place(scene) + people


def _steps_of_place(scene: Scene) -> list[tuple[str, Step]]:
    """The subject stands behind what is nearest to the viewer."""
    subject = ("subject", paint_subject)
    match scene.place:
        case "abstract":
            return [("ground", paint_abstract), subject]
        case "studio":
            return [("wall", paint_studio), subject]
        case "cloister":
            return [("sky", paint_sky), ("walls", paint_cloister), subject]
        case "space":
            return [("sky", paint_nebula), ("far", paint_planet), subject]
        case "mountains":
            return [
                ("sky", _sky),
                ("far", paint_mountains),
                ("middle", _mountain_foot),
                subject,
                ("near", _mountain_trees),
            ]
        case "ocean":
            return [("sky", _sky), ("water", _sea), subject]
        case "coast":
            return [("sky", _sky), ("water", _sea), *_shore_steps(scene)]
        case "lake":
            return [("sky", _sky), ("far", _lake_far), ("water", _lake), ("near", _lake_shore), subject]
        case "river":
            return [
                ("sky", _sky),
                ("far", paint_mountains),
                ("middle", paint_hills),
                subject,
                ("near", paint_foreground),
            ]
        case "forest":
            return [("sky", _sky), ("far", _forest_far), ("middle", paint_woods), ("rays", cast_rays), subject]
        case "desert":
            return [("sky", _sky), ("middle", paint_dunes), subject]
        case "meadow":
            return [("sky", _sky), ("middle", paint_hills), subject, ("near", paint_foreground)]
        case "city":
            return [("sky", _sky), ("middle", paint_skyline), ("water", _wet_street), subject]
        case "road":
            return [("sky", _sky), ("far", _road_far), ("near", _road), subject]
        case other:
            raise ValueError(f"no steps for place {other!r}")


def _sky(canvas: Canvas, scene: Scene) -> None:
    paint_sky(canvas, scene)
    if scene.weather == "storm":
        strike_lightning(canvas, scene)


def _mountain_foot(canvas: Canvas, scene: Scene) -> None:
    paint_hill(canvas, scene, 0.22, "back", scene.horizon + 0.15, 0.08, GRASS)
    if "castle" not in scene.subjects:
        colour = scene.palette.lit(PINE, 0.15, 0.15)
        paint_tree_row(canvas, scene, scene.rng("foot"), scene.horizon + 0.20, 0.09, 60, colour)


def _mountain_trees(canvas: Canvas, scene: Scene) -> None:
    rng = scene.rng("trees")
    if "castle" in scene.subjects:
        paint_tree_row(canvas, scene, rng, scene.horizon + 0.22, 0.10, 60, scene.palette.lit(rgb("#345a44"), 0.1, 0.08))
    paint_tree_row(
        canvas, scene, rng, scene.horizon + 0.31, 0.2, 22, scene.palette.lit(rgb("#2c4a3c"), 0.0, 0.0), gap=0.3
    )


def open_water(canvas: Canvas, scene: Scene) -> None:
    """The sea without a storm's swell."""
    paint_water(canvas, scene, scene.horizon, 1.4, 0.9)


def _sea(canvas: Canvas, scene: Scene) -> None:
    open_water(canvas, scene)
    if scene.weather == "storm":
        paint_swell(canvas, scene)


def _shore_steps(scene: Scene) -> list[tuple[str, Step]]:
    """Lighthouses stand out in the water, everything else on the beach."""
    beach, subject = ("near", paint_beach), ("subject", paint_subject)
    return [subject, beach] if {"lighthouse", "sailboat", "whale"}.intersection(scene.subjects) else [beach, subject]


def _lake_far(canvas: Canvas, scene: Scene) -> None:
    rng = scene.rng("shore")
    paint_mountains(canvas, scene, 0.9)
    paint_tree_row(canvas, scene, rng, scene.horizon + 0.035, 0.07, 70, scene.palette.lit(PINE, 0.1, 0.35))


def _lake_shore(canvas: Canvas, scene: Scene) -> None:
    if ON_LAND.intersection(scene.subjects):
        paint_hill(canvas, scene, 0.0, "shore", scene.horizon + 0.20, 0.06, GRASS)


def _lake(canvas: Canvas, scene: Scene) -> None:
    paint_water(canvas, scene, scene.horizon + 0.05, 0.45, 0.92)


def _forest_far(canvas: Canvas, scene: Scene) -> None:
    paint_mountains(canvas, scene, 0.7)


def _wet_street(canvas: Canvas, scene: Scene) -> None:
    paint_water(canvas, scene, scene.horizon + 0.005, 0.9, 0.86)


def _road_far(canvas: Canvas, scene: Scene) -> None:
    paint_mountains(canvas, scene, 0.6)


def _road(canvas: Canvas, scene: Scene) -> None:
    paint_hill(canvas, scene, 0.10, "verge", scene.horizon + 0.12, 0.03, SAND)
    paint_road(canvas, scene)
