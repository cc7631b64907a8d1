#include "lexicon/matching/word_lists.h"

namespace glyphward::lexicon {

// Words that English joins with a swear word: dog+shit, fuck+face, porn+hub.
const Words& companions() {
  static const Words words = {
      U"ass",     U"fat",     U"big",      U"face",    U"faced",   U"head",     U"headed",
      U"heads",   U"hole",    U"holes",    U"hub",     U"boy",     U"boys",     U"boi",
      U"girl",    U"girls",   U"man",      U"men",     U"you",     U"u",        U"this",
      U"that",    U"them",    U"him",      U"her",     U"off",     U"up",       U"it",
      U"all",     U"show",    U"storm",    U"bag",     U"bags",    U"bird",     U"brain",
      U"brained", U"brains",  U"eat",      U"eater",   U"eaters",  U"eating",   U"suck",
      U"sucks",   U"sucker",  U"suckers",  U"sucking", U"lick",    U"licker",   U"licking",
      U"lover",   U"lovers",  U"hunter",   U"hunters", U"master",  U"king",     U"queen",
      U"lord",    U"bucket",  U"stain",    U"stains",  U"stick",   U"wit",      U"wits",
      U"wad",     U"wads",    U"tard",     U"tards",   U"bull",    U"horse",    U"dog",
      U"dogs",    U"cat",     U"bat",      U"rat",     U"ape",     U"dip",      U"dumb",
      U"jack",    U"hot",     U"wet",      U"hard",    U"mother",  U"mothers",  U"father",
      U"sister",  U"brother", U"cluster",  U"mind",    U"clown",   U"nugget",   U"nuts",
      U"fest",    U"house",   U"houses",   U"town",    U"land",    U"less",     U"ful",
      U"like",    U"the",     U"my",       U"your",    U"our",     U"their",    U"god",
      U"holy",    U"stupid",  U"dirty",    U"little",  U"old",     U"lazy",     U"free",
      U"live",    U"tube",    U"star",     U"stars",   U"site",    U"sites",    U"video",
      U"videos",  U"world",   U"life",     U"pig",     U"monkey",  U"fuck",     U"fucker",
      U"fuckers", U"fucking", U"shit",     U"cunt",    U"crap",    U"piss",     U"hate",
      U"love",    U"kill",    U"gang",     U"bang",    U"hand",    U"job",      U"jobs",
      U"blow",    U"rim",     U"foot",     U"toe",     U"butt",    U"nose",     U"mouth",
      U"mouthed", U"muncher", U"munching", U"slap",    U"slapper", U"puncher",  U"bait",
      U"bang",    U"banger",  U"basher",   U"breath",  U"cake",    U"can",      U"chute",
      U"cut",     U"dick",    U"cock",     U"drinker", U"dump",    U"dumpster", U"pile",
      U"pit",     U"hell",    U"kicker",   U"list",    U"load",    U"loads",    U"post",
      U"posting", U"poster",  U"talk",     U"talker",  U"ton",     U"tons",     U"weasel",
      U"goblin",  U"gibbon",  U"waffle",   U"trumpet", U"canoe",   U"nozzle",   U"rag",
      U"rags",    U"bot",     U"club",     U"gate",    U"zone",    U"day",      U"week",
      U"time",    U"party",   U"crew",     U"squad",   U"team",    U"nation",   U"city",
      U"street",  U"world",   U"no",       U"so",      U"too",     U"very",     U"super",
      U"mega",    U"ultra",   U"uber",     U"total",   U"totally", U"absolute", U"absolutely",
      U"go",      U"get",     U"give",     U"white",   U"black",   U"brown",    U"yellow",
      U"red",     U"sand",    U"jew",      U"camel",   U"goat",    U"sheep",    U"twat",
      U"tit",     U"tits",    U"boob",     U"boobs",   U"pussy",   U"anal",     U"oral",
      U"sex",     U"sexy",    U"porn",     U"rape",    U"slut",    U"whore",    U"bitch",
      U"skank",   U"fag",     U"homo",     U"lesbo",   U"gay",     U"teen",     U"milf",
      U"mom",     U"dad",     U"granny",   U"slave",   U"hoe",     U"ho",       U"hoes",
      U"ya",      U"yo",      U"er",       U"wagon",   U"wank",    U"wanker",   U"arse",
      U"chicken", U"goose",   U"bird",     U"birds",   U"apes",    U"eats",     U"tough",
      U"holey",   U"crazy",   U"cold",     U"thick",   U"deep",    U"horses",   U"bulls",
      U"dipped",  U"weak",    U"sick",     U"jerk",    U"trash",   U"cum",      U"jizz",
      U"sauce",   U"juice"};
  return words;
}

const Words& english_endings() {
  static const Words words = {
      U"s",    U"es", U"z",  U"ed",  U"d",   U"er",    U"ers", U"r",    U"rs",     U"ing",
      U"ings", U"in", U"y",  U"ies", U"ish", U"able",  U"ier", U"iest", U"yness",  U"ery",
      U"ty",   U"a",  U"as", U"ah",  U"az",  U"ingly", U"ed",  U"ness", U"tastic", U"ity"};
  return words;
}

// Endings that make a verb or a doer of any word.
const Words& plain_endings() {
  static const Words words = {U"z", U"ed", U"er", U"ers", U"ing", U"in"};
  return words;
}

const Words& russian_endings() {
  static const Words words = {
      U"а",  U"я",   U"ы",   U"и",   U"у",   U"ю",   U"е",    U"о",    U"ой",  U"ей",  U"ом",
      U"ем", U"ам",  U"ям",  U"ами", U"ями", U"ах",  U"ях",   U"ов",   U"ев",  U"ый",  U"ий",
      U"ая", U"яя",  U"ое",  U"ее",  U"ые",  U"ие",  U"ого",  U"его",  U"ому", U"ему", U"ым",
      U"им", U"ых",  U"их",  U"ную", U"ною", U"ка",  U"ки",   U"ку",   U"ок",  U"ец",  U"цы",
      U"ик", U"ики", U"ный", U"ная", U"ное", U"ные", U"ский", U"ство", U"ня",  U"ню",  U"ни",
      U"ть", U"л",   U"ла",  U"ли",  U"н",   U"ь",   U"ью"};
  return words;
}

const Words& other_endings() {
  static const Words words = {U"s",  U"es", U"a",  U"as",  U"os",    U"e",
                              U"en", U"n",  U"em", U"ern", U"innen", U"ens"};
  return words;
}

// "ass" + "goblin": words that English puts behind a grave term, and behind no other.
const Words& insults() {
  static const Words words = {
      U"goblin",   U"goblins", U"weasel", U"nugget",  U"waffle", U"waffles", U"gibbon",
      U"trumpet",  U"canoe",   U"nozzle", U"clown",   U"clowns", U"bandit",  U"wipe",
      U"wipes",    U"hat",     U"hats",   U"face",    U"faces",  U"wad",     U"wads",
      U"stain",    U"stains",  U"licker", U"lickers", U"sucker", U"suckers", U"muncher",
      U"munchers", U"breath",  U"head",   U"heads",   U"hole",   U"holes",   U"bag",
      U"bags",     U"monkey",  U"fucker", U"fuckers", U"wit",    U"nugget",  U"sniffer"};
  return words;
}

// Two or three letters that are words: "as she" parts words, "fu ck" does not.
bool is_short_word(std::u32string_view word) {
  static const Words words = {
      U"a",   U"i",   U"o",   U"u",   U"am",  U"an",  U"as",  U"at",  U"be",  U"by",  U"do",
      U"go",  U"he",  U"hi",  U"if",  U"in",  U"is",  U"it",  U"me",  U"mr",  U"ms",  U"my",
      U"no",  U"of",  U"oh",  U"ok",  U"on",  U"or",  U"ox",  U"pa",  U"ma",  U"so",  U"to",
      U"tv",  U"uk",  U"up",  U"us",  U"we",  U"ad",  U"ah",  U"re",  U"la",  U"le",  U"el",
      U"un",  U"de",  U"da",  U"di",  U"st",  U"dr",  U"pi",  U"bi",  U"ex",  U"id",  U"lo",
      U"se",  U"te",  U"tu",  U"ti",  U"co",  U"hit", U"pen", U"the", U"and", U"for", U"you",
      U"she", U"who", U"his", U"her", U"its", U"our", U"out", U"was", U"ass", U"can", U"cut",
      U"but", U"bus", U"bit", U"ton", U"ten", U"tin", U"art", U"arm", U"old", U"one", U"two",
      U"six", U"day", U"way", U"may", U"say", U"how", U"now", U"new", U"not", U"hot", U"pot",
      U"pop", U"top", U"tip", U"tie", U"sit", U"set", U"see", U"sea", U"sun", U"son", U"red",
      U"bed", U"big", U"bad", U"bag", U"ban", U"bar", U"bat", U"box", U"boy", U"buy", U"car",
      U"cat", U"cow", U"cup", U"dad", U"dog", U"dry", U"ear", U"eat", U"egg", U"end", U"eye",
      U"far", U"fat", U"few", U"fit", U"fix", U"fly", U"fog", U"fox", U"fun", U"fur", U"gas",
      U"get", U"gin", U"god", U"got", U"gum", U"gun", U"guy", U"hat", U"hen", U"him", U"hip",
      U"ice", U"ink", U"inn", U"jam", U"jar", U"jet", U"job", U"joy", U"key", U"kid", U"kit",
      U"law", U"lay", U"leg", U"let", U"lie", U"lip", U"log", U"lot", U"low", U"man", U"map",
      U"mat", U"men", U"met", U"mix", U"mom", U"mud", U"mum", U"nor", U"nut", U"oak", U"odd",
      U"off", U"oil", U"owl", U"own", U"pan", U"pat", U"pay", U"pet", U"pie", U"pig", U"pin",
      U"pit", U"put", U"ran", U"rat", U"raw", U"ray", U"rib", U"rid", U"rim", U"rip", U"rob",
      U"rod", U"row", U"rub", U"rug", U"run", U"sad", U"sat", U"saw", U"shy", U"sin", U"sip",
      U"sir", U"ski", U"sky", U"spa", U"spy", U"sum", U"tag", U"tan", U"tap", U"tar", U"tax",
      U"tea", U"toe", U"too", U"toy", U"try", U"tub", U"tug", U"use", U"van", U"war", U"wax",
      U"web", U"wet", U"why", U"win", U"won", U"yes", U"yet", U"zip", U"zoo", U"are", U"all",
      U"any", U"ask", U"ate", U"add", U"age", U"ago", U"aid", U"aim", U"air", U"ale", U"ant",
      U"ape", U"bee", U"bet", U"dip", U"did", U"die", U"dig", U"due", U"fan", U"fee", U"gap",
      U"gym", U"had", U"has", U"hey", U"hug", U"led", U"mad", U"net", U"per", U"pub", U"sew",
      U"sob", U"sow", U"tie", U"und", U"der", U"die", U"das", U"les", U"des", U"sur", U"que",
      U"con", U"por", U"los", U"las", U"una", U"uma", U"est", U"sus", U"mas", U"sin"};
  return words.contains(word);
}

}  // namespace glyphward::lexicon
