// The image of compile_words, as it is. GLYPHWARD_WORDS_IMAGE is its path.
    .section .rodata
    .balign 64
    .globl glyphward_words_image
    .globl glyphward_words_image_end
glyphward_words_image:
    .incbin GLYPHWARD_WORDS_IMAGE
glyphward_words_image_end:
    .byte 0
    .section .note.GNU-stack,"",@progbits
