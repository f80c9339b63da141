"""The sentences that `procedural-text` is composed of, by what they are about."""

from __future__ import annotations

TIMES = {
    "dawn": (
        "The night lets go slowly: first the edges come back, then the colours.",
        "Before the sun there is only a pale line in the east, and it is enough.",
        "Somewhere the first bird tries a note, thinks better of it, and tries again.",
    ),
    "morning": (
        "The morning is new and has not been used by anyone.",
        "Light comes in low and sideways and makes long shadows of small things.",
        "It is the hour when everything still seems possible before lunch.",
    ),
    "noon": (
        "The sun stands straight above and hides nothing.",
        "At noon even the shadows have gone to sit under something.",
        "The day is at its widest, and nobody is in a hurry to close it.",
    ),
    "sunset": (
        "The sun goes down as if it had been asked nicely.",
        "For a few minutes everything is the colour of apricots and forgiven.",
        "The last light runs along the ground and finds every edge.",
    ),
    "dusk": (
        "It is too late for shadows and too early for stars.",
        "Dusk rubs out the distance, one hill at a time.",
        "The blue hour pours itself into the low places first.",
    ),
    "night": (
        "The night is large and keeps its windows open.",
        "There are more stars than anybody ordered.",
        "The moon has found its place and does not mean to say a word.",
    ),
}
WEATHERS = {
    "clear": ("The air has been washed and hung out.", "Not one cloud has anything to add."),
    "cloud": ("Clouds go over like slow furniture.", "The sky is a soft ceiling with the lamp behind it."),
    "fog": (
        "Fog has moved in without unpacking.",
        "Things step out of the mist, say their name, and step back.",
    ),
    "rain": (
        "Rain counts the roofs, loses its place, and starts again.",
        "Every puddle is trying to remember a street lamp.",
    ),
    "storm": (
        "The storm has a great deal to say and says it all at once.",
        "Lightning takes one photograph after another and keeps none.",
    ),
    "snow": (
        "Snow falls the way a room goes quiet.",
        "Everything that was sharp yesterday has been given a cushion.",
    ),
    "aurora": (
        "Green curtains move overhead, though nobody has opened a window.",
        "The sky is rehearsing something slow in green and violet.",
    ),
}
PLACES = {
    "ocean": (
        "The sea breathes in and out and has never once been late.",
        "Far out, one wave makes up its mind and then the next one does.",
        "The horizon is ruled with a very old ruler.",
    ),
    "coast": (
        "The tide has left its handwriting along the sand.",
        "Salt is on everything, even on the silence.",
        "Where the land ends the water goes on explaining.",
    ),
    "lake": (
        "The lake holds the mountains upside down and does not spill them.",
        "A ring widens on the water and reaches the reeds without a sound.",
        "The far shore looks like a place one was happy in once.",
    ),
    "river": (
        "The river knows the way and tells everyone it passes.",
        "Under the bridge the water talks faster, being watched.",
        "Stones in the stream have had their corners talked away.",
    ),
    "mountains": (
        "The mountains stand about like uncles at a wedding.",
        "Up there the snow has not heard about the spring.",
        "Each ridge is a little bluer than the one before it, and a little less certain.",
    ),
    "forest": (
        "Between the trunks the light comes down in pieces.",
        "The wood is busy with small, unhurried errands.",
        "Moss has read all of the north side and is turning the page.",
    ),
    "desert": (
        "The dunes have been combed by somebody patient.",
        "Out here a footprint is an event.",
        "The heat stands up and walks about.",
    ),
    "meadow": (
        "The grass leans over to hear what the wind has brought.",
        "Somebody has spilled poppies and not come back for them.",
        "A path crosses the field because someone once did.",
    ),
    "city": (
        "The windows come on one by one, like people remembering something.",
        "The street has been rained on and repeats every sign in it, upside down.",
        "Ten thousand kettles think about coming to the boil.",
    ),
    "space": (
        "A planet turns below with the patience of a very large animal.",
        "It is quiet here the way only a great deal of room can be.",
        "The light arriving now left before anyone had a word for it.",
    ),
    "road": (
        "The road goes on ahead, pretending not to know where it is going.",
        "White lines pass underneath like a sentence of dashes.",
        "Every few miles a lamp stands about with nothing to read.",
    ),
    "cloister": (
        "The stone is cool and has heard everything before.",
        "Coloured light lies on the floor where the window dropped it.",
        "Footsteps arrive here a moment before the people do.",
    ),
    "studio": (
        "The wall is plain, so that a face has nothing to compete with.",
        "One lamp is on, and it is on the right side.",
        "Somebody says to hold still, and for once everything does.",
    ),
}
SUBJECTS = {
    "monk": (
        "A monk turns a page as if it were asleep.",
        "The monk has been silent so long that others lower their voices.",
    ),
    "portrait": (
        "The face gives away exactly as much as it has decided to.",
        "There is a look of someone about to say the interesting thing.",
    ),
    "castle": (
        "The castle has outlived all of its enemies and most of its roof.",
        "From the tower a flag says yes to whatever the wind asks.",
    ),
    "cat": (
        "A cat is there, and has been the owner of the place all along.",
        "The cat watches nothing in particular very hard.",
    ),
    "dog": ("A dog waits, which it considers an occupation.", "The dog is glad in advance."),
    "fox": (
        "A fox crosses at the only moment when nobody looks.",
        "The fox has an appointment and no intention of saying with whom.",
    ),
    "deer": (
        "A deer lifts its head and the whole scene holds its breath.",
        "The deer carries its antlers like a small winter tree.",
    ),
    "owl": ("An owl turns its head to the part you had forgotten.", "The owl asks its one question and does not wait."),
    "bird": (
        "Birds rearrange themselves along a line of air.",
        "A bird writes one quick word on the sky and corrects it.",
    ),
    "car": (
        "A car goes by with its window down and half a song.",
        "The car shines as if it had been told to expect company.",
    ),
    "sailboat": (
        "A sail leans on the wind and trusts it.",
        "The boat has drawn a white line behind it, to find the way home.",
    ),
    "lighthouse": (
        "The lighthouse says the same true thing, every twelve seconds.",
        "A beam goes round like someone checking the doors.",
    ),
    "tree": (
        "One tree stands apart and has an opinion about the weather.",
        "The tree has kept every one of its rings.",
    ),
    "house": (
        "A house keeps one window lit for the look of it.",
        "Smoke goes up from the chimney to see what is above.",
    ),
    "balloon": (
        "A balloon drifts over, taking nobody's side.",
        "The balloon lets the world be brought slowly past it.",
    ),
    "rocket": (
        "The rocket points at the only direction it has ever wanted.",
        "The countdown is a poem that everybody knows the end of.",
    ),
    "palm": ("A palm leans out for a better view.", "Palm leaves applaud, a little, all day."),
    "tent": (
        "A tent glows from inside like a small agreed secret.",
        "The fire tells the stars what it has heard from the wood.",
    ),
    "windmill": (
        "The windmill hands the wind along, one armful at a time.",
        "Four arms go round and still have time for everyone.",
    ),
    "flower": (
        "A flower opens without checking whether anyone is there.",
        "The petals have been ironed by the morning.",
    ),
    "butterfly": (
        "A butterfly goes over by way of everywhere.",
        "The butterfly folds itself, like a letter, on a leaf.",
    ),
    "whale": (
        "A whale comes up, breathes, and takes the rest of the story down.",
        "The whale is a slow island with plans.",
    ),
    "dragon": (
        "A dragon sleeps on what it has, and it is mostly weather.",
        "The dragon yawns, and the valley gets a short summer.",
    ),
    "horse": (
        "A horse stands where the wind can find its mane.",
        "The horse has been thinking about running, and now it is running.",
    ),
    "cactus": (
        "A cactus holds up both arms and has been doing so for eighty years.",
        "The cactus is saving it all for one flower.",
    ),
}
WITNESSES = (
    "Nobody is about, and everything goes on very well.",
    "A gate that was closed is open now.",
    "Something small changes its mind in the grass.",
    "There is the feeling that someone has just left, and was pleased.",
    "A sound comes from far away and takes off its hat.",
    "What there is to do can wait, and does.",
)
COLOURS = (
    "And there is {colour} in it, more than was strictly needed.",
    "All of it leans toward {colour}, the way a tune leans home.",
    "One thing is {colour}, and the eye keeps going back to it.",
)
REMARKS = (
    'As for "{topic}": it fits in here, if one moves up a little.',
    'Somebody has written "{topic}" on the back, in pencil.',
    'If you listen for "{topic}", you can nearly hear it.',
)
ENDINGS = (
    "That is all, and for now it is enough.",
    "Later someone will say that nothing happened, and be wrong.",
    "Then the light moves on, as it has other pictures to make.",
    "Leave it here until the real words come.",
    "It will keep, exactly like this, for as long as it is needed.",
    "And that, as far as anyone can tell, is how it stays.",
)
TITLES = ("{time}, {place}", "a note from the {place}", "what the {time} left behind", "small hours of the {place}")
OPENINGS = (
    "{topic} begins, as most good things do, with someone paying attention.",
    "There is more to be said about {topic} than fits here, so this is the short way round.",
    "Start with {topic}, and leave some room around it.",
    "Ask ten people about {topic} and you will get eleven answers; here is a quiet one.",
)
GENERAL = (
    "First there is what {topic} is for; everything else can be argued about.",
    "People who know {topic} well speak of it plainly and a little too long.",
    "The part of {topic} that nobody sees is the part that makes it work.",
    "Whoever meets {topic} for the first time should be met halfway.",
    "It helps to say early what {topic} will not do.",
    "A good example of {topic} is worth a page of promises.",
    "With {topic}, as with soup, the last tenth takes half of the time.",
    "Nothing about {topic} has to be loud in order to be clear.",
)
ITEMS = (
    "{topic}, without the hurry",
    "the quiet side of {topic}",
    "{topic} for people who arrive late",
    "a first morning with {topic}",
    "{topic}, kept simple",
    "what {topic} was always meant to be",
    "the long way round to {topic}",
    "{topic} after hours",
    "everything but {topic}",
    "{topic}, and room for one more",
)
FIVES = (
    "nobody answers", "a door left open", "the kettle listens", "one lamp, then silence", "the page turns itself",
    "somewhere a dog barks", "the wind knows the way", "enough for today", "nothing is missing", "a window, a name",
)  # fmt: skip
SEVENS = (
    "the light has moved to one side", "someone has left their hat here", "what was far away comes back",
    "the afternoon forgets me", "a leaf decides on the path", "small rain goes from roof to roof",
)  # fmt: skip
FIVES_OF = {
    "ocean": "the sea counts to ten", "coast": "salt on the window", "lake": "the lake holds its breath",
    "river": "the river goes on", "mountains": "snow on the far ridge", "forest": "light between the trunks",
    "desert": "a footprint, then sand", "meadow": "poppies in the grass", "city": "signs in wet asphalt",
    "space": "a slow blue planet", "road": "white lines, one by one", "cloister": "footsteps on cool stone",
    "dawn": "before the first bird", "morning": "the morning is new", "noon": "shadows under trees",
    "sunset": "the sun asks nicely", "dusk": "too early for stars", "night": "the moon says nothing",
    "fog": "the fog unpacks here", "rain": "rain forgets its place", "storm": "thunder clears its throat",
    "snow": "everything cushioned", "cloud": "clouds like furniture", "aurora": "green curtains open",
}  # fmt: skip
